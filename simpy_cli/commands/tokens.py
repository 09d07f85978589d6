"""``simpy tokens``: how many tokens Python files are, as Python and in each dialect. Counting is ``tokenizer_ext.counting``; here
are the options, the table, the JSON and the chart."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simpy_cli.options import AUTO, FOR_MODELS, add_paths, add_verbosity, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import SimPyError, visible

if TYPE_CHECKING:
    from tokenizer_ext.token_shares import TokenCount

ESTIMATE = "estimate"
Totals = dict[str, dict[str, "TokenCount"]]


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "tokens",
        description="Count the tokens of Python files: as they are, and in each dialect with its grammar tokens as one id each. A "
        "tokenizer is a tokenizer.json (.xz too), a folder that holds one, a name of tiktoken, or an id of a hub. Without one the "
        "counts are estimates for cl100k, and say how far off they may be.",
        shown=(
            ("simpy tokens app.py", "estimate, with no vocabulary at hand"),
            ("simpy tokens src --tokenizer o200k_base --tokenizer gpt2", "count for two vocabularies"),
            ("simpy tokens src --tokenizer ./model --learned my.json", "with learned tokens"),
            ("simpy tokens src --tokenizer cl100k_base --chart tokens.svg", "draw it"),
        ),
    )
    add_paths(parser)
    parser.add_argument("--tokenizer", action="append", default=[], metavar="NAME", help="count for this tokenizer; may be given again")
    *others, last = (name for name in FOR_MODELS if name.endswith(("-spaced", "-open")))
    parser.add_argument(
        "--dialect",
        action="append",
        default=[],
        metavar="DIALECT",
        help=f"count {', '.join(FOR_MODELS)} (default: all but {', '.join(others)} and {last}), auto or a file",
    )
    parser.add_argument("--learned", metavar="FILE", help="count with these learned tokens too (see simpy learn)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--chart", metavar="FILE", help="draw the shares into a .png or .svg file (needs matplotlib)")
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Count everything that was named."""
    import os

    from simpy_cli import files
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.folders import Search, find
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report, count
    from simpy_grammar.dialect import PYTHON
    from tokenizer_ext.counting import COUNTED, CountedProgram, TokenCounter
    from tokenizer_ext.fitting import fitted_dialect
    from tokenizer_ext.learned_tokens import LearnedTokens
    from tokenizer_ext.loading import load_tokenizer

    if args.chart:
        check_chart(args.chart)
    dialects = (PYTHON, *dict.fromkeys(args.dialect)) if args.dialect else COUNTED
    if AUTO in dialects and not args.tokenizer:
        load_dialect(AUTO)  # says what is missing
    learned = LearnedTokens.load(args.learned) if args.learned else None
    names = list(dict.fromkeys(args.tokenizer))
    counters: dict[str, TokenCounter] = {}
    for name in names:
        tokenizer = load_tokenizer(name)
        own = [fitted_dialect(tokenizer) if dialect == AUTO else dialect for dialect in dialects]
        counters[name] = TokenCounter(tokenizer, dialects=own, learned=learned)
    counters = counters or {ESTIMATE: TokenCounter(None, dialects=dialects, learned=learned)}
    errors: list[SimPyError] = []
    paths = [source.path for source in find(args.paths, Search.asked(args), errors)]
    report = Report(quiet=args.quiet, verbose=args.verbose, total=len(paths) if any(map(os.path.isdir, args.paths)) else 0)
    for error in errors:
        report.error(error)
    totals: Totals = {}
    done = 0
    for path in paths:
        try:
            program = CountedProgram(files.read(path)[0], path=files.shown(path))
            found = {name: counter.count(program, shares=True) for name, counter in counters.items()}
        except OSError as error:
            report.error(files.os_error(error, path))
            continue
        except SimPyError as error:
            report.error(error)
            continue
        finally:
            report.step()
        done += 1
        report.detail(f"{files.shown(path)}: {_line(found)}")
        for name, counts in found.items():
            for spelling, one in counts.items():
                _total(totals, name, spelling).add(one)
    report.before_output()
    if totals:
        _print(totals, done, args.json)
        if args.chart:
            _draw(totals, args.chart)
    if ESTIMATE in counters:
        from tokenizer_ext.estimation import explained, saved_within

        most = max((one.tokens for one in totals.get(ESTIMATE, {}).values()), default=0)
        off = f"{explained(most)}, and what is saved within {saved_within(most):g} points"
        report.note(f"{off}: name a vocabulary with --tokenizer for exact counts")
    failed = f"; {count(report.errors, 'error')}" if report.errors else ""
    report.finish(f"{count(done, 'file')} counted{failed}")
    return FAILED if report.errors else DONE


def _total(totals: Totals, tokenizer: str, spelling: str) -> TokenCount:
    from tokenizer_ext.token_shares import TokenCount

    return totals.setdefault(tokenizer, {}).setdefault(spelling, TokenCount())


def _line(found: Totals) -> str:
    first = next(iter(found.values()))
    return ", ".join(f"{spelling} {one.tokens:,}" for spelling, one in first.items())


def saved(counts: dict[str, TokenCount], spelling: str) -> float:
    """Percent of the tokens of the Python text that a spelling saves."""
    python = next(iter(counts.values())).tokens
    return 100 * (1 - counts[spelling].tokens / python) if python else 0.0


def _share(one: TokenCount, name: str) -> float:
    return 100 * one.shares[name] / one.tokens if one.tokens else 0.0


# ------------------------------------------------------------------------------------------------------------ output


def _print(totals: Totals, files: int, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(_report(totals, files), indent=1))
        return
    from tokenizer_ext.token_shares import CATEGORIES

    for name, counts in totals.items():
        about = "estimated tokens" if name == ESTIMATE else "tokens"
        width = max(len("spelling"), *map(len, counts))
        print(f"{visible(name)} ({about})")
        print(f"  {'spelling':{width}}  {'tokens':>12}  {'saved':>7}  " + "  ".join(f"{shown:>11}" for shown in CATEGORIES))
        for spelling, one in counts.items():
            less = f"{saved(counts, spelling):.1f} %" if spelling != next(iter(counts)) else ""
            shares = "  ".join(f"{_share(one, shown):>9.1f} %" for shown in CATEGORIES)
            print(f"  {spelling:{width}}  {one.tokens:>12,}  {less:>7}  {shares}")


def _report(totals: Totals, files: int) -> dict[str, Any]:
    """The JSON: for each tokenizer and spelling the tokens, percent saved, and percent of them in each class."""
    return {
        "files": files,
        "tokenizers": {
            name: {
                "estimated": name == ESTIMATE,
                **(_errors(counts) if name == ESTIMATE else {}),
                "spellings": {
                    spelling: {
                        "tokens": one.tokens,
                        "saved": round(saved(counts, spelling), 2),
                        "shares": {shown: round(_share(one, shown), 2) for shown in one.shares},
                    }
                    for spelling, one in counts.items()
                },
            }
            for name, counts in totals.items()
        },
    }


def _errors(counts: dict[str, TokenCount]) -> dict[str, Any]:
    """How far off estimates are: percent of tokens, and percentage points of what is saved, for nine of ten programs."""
    from tokenizer_ext.estimation import saved_within, within
    from tokenizer_ext.estimation_weights import VOCABULARY

    most = max(one.tokens for one in counts.values())
    return {"vocabulary": VOCABULARY, "within": {"tokens": within(most), "saved": saved_within(most)}}


def check_chart(path: str) -> None:
    """Say before counting that a chart cannot be drawn."""
    from importlib.util import find_spec

    from simpy_grammar.installing import install

    if not path.endswith((".png", ".svg")):
        raise SimPyError("a chart is a .png or an .svg file", path=path)
    if find_spec("matplotlib") is None:
        raise SimPyError("a chart needs the library matplotlib", path=path, hint=install("matplotlib"))


def _draw(totals: Totals, path: str) -> None:
    """A bar for each spelling, divided by what its tokens are spent on; one panel for each tokenizer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from simpy_cli.files import os_error
    from tokenizer_ext.token_shares import CATEGORIES

    figure = Figure(figsize=(max(6.0, 4.5 * len(totals)), 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(totals), squeeze=False)[0]
    for panel, (name, counts) in zip(panels, totals.items(), strict=True):
        spellings = list(counts)
        below = [0.0] * len(spellings)
        for shown in CATEGORIES:
            heights = [counts[spelling].shares[shown] for spelling in spellings]
            panel.bar(spellings, heights, bottom=below, label=shown)
            below = [low + height for low, height in zip(below, heights, strict=True)]
        for i, spelling in enumerate(spellings[1:], 1):
            panel.text(i, below[i], f"{-saved(counts, spelling):+.1f} %", ha="center", va="bottom", fontsize=8)
        panel.set_title(f"{name} (estimated)" if name == ESTIMATE else name)
        panel.tick_params(axis="x", labelrotation=30)
    panels[0].set_ylabel("tokens")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(CATEGORIES), fontsize=8)
    try:
        figure.savefig(path)
    except OSError as error:
        raise os_error(error, path) from error
