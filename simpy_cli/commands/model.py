"""``simpy model``: what models cost and are worth, and which one is used where none is named.

``simpy_eval.model_report`` measures; ``dualcode.backends.default_model`` keeps which one is used.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from simpy_cli.numbers import whole
from simpy_cli.options import add_dialect, add_search, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import SimPyError, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simpy_cli.report import Report
    from simpy_eval.model_report import ModelReport, Validity
    from simpy_grammar.dialect import Dialect


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    from dualcode.backends.weights import WEIGHTS  # not needed by other commands

    parser = command_parser(
        subparsers,
        "model",
        description="report says what models cost and what they are worth: megabytes on disk, processor time for each token, nats per "
        "program, and the share of their generations that end, parse and compile, free and under a mask of valid Python. Several models of "
        "one dialect are compared with the first, such as a model before and after it was made smaller.\n\nuse says which model "
        "`simpy complete` and `simpy chat` use where none is named; without MODEL it prints which one that is.",
        usage="simpy model report MODEL... --data PATH... [options]\n"
        "       simpy model use [MODEL] [--dialect DIALECT] [--weights WEIGHTS]",
        shown=(
            ("simpy model report ./model --data held_out --dialect dense", "one model"),
            ("simpy model report ./model ./int8 --data held_out", "before and after"),
            ("simpy model report ./model --data held_out --samples 0", "without generations, which take longest"),
            ("simpy model use ./student/model --dialect classic", "`simpy complete app.py` uses it from now on"),
        ),
    )
    parser.add_argument("action", choices=("report", "use"), help="what to do")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="a folder with a model of transformers and its tokenizer")
    parser.add_argument("--data", nargs="+", metavar="PATH", help="report: Python that the models were not trained on")
    add_dialect(parser, "--dialect", default="compact", auto=False, python=True, help="what the models read and write")
    parser.add_argument("--programs", type=whole(), default=100, metavar="N", help="measure so many files, evenly chosen (default 100)")
    parser.add_argument("--samples", type=whole(), default=20, metavar="N", help="generations of each kind (default 20)")
    parser.add_argument("--max-tokens", type=whole(), default=96, metavar="N", help="tokens of a generation at most (default 96)")
    parser.add_argument("--weights", choices=tuple(WEIGHTS), help="use: how to hold its weights (default: as they are on disk)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_search(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only, beside the report")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for.

    Raises:
        SimPyError: an option is missing, or is not for this action.
    """
    if args.action == "use":
        return _use(args)
    if args.weights is not None:
        raise SimPyError("report takes no --weights", hint="see `simpy help model`")
    if not args.models or args.data is None:
        missing = "MODEL" if not args.models else "--data"
        raise SimPyError(f"report needs {missing}", hint="simpy model report MODEL --data PATH")
    return _report(args)


def _use(args: argparse.Namespace) -> int:
    """Keep which model is used where none is named, or print it."""
    from dualcode.backends import default_model
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE

    if args.data is not None or len(args.models) > 1:
        raise SimPyError("use takes one model" if args.data is None else "use takes no --data", hint="simpy model use MODEL")
    if args.models:
        load_dialect(args.dialect)
        default_model.keep(default_model.DefaultModel(args.models[0], args.dialect, args.weights))
    found = default_model.find()
    if found is None:
        raise SimPyError("no model is used where none is named", hint="simpy model use MODEL")
    said = [f"dialect {found.dialect}"] if found.dialect else []
    said += [f"weights {found.weights}"] if found.weights else []
    print(visible(f"{found.where}{' (' + ', '.join(said) + ')' if said else ''}"))
    return DONE


def _report(args: argparse.Namespace) -> int:
    """Measure the models and print the report."""
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report, count
    from simpy_eval.model_report import report

    dialect = load_dialect(args.dialect)
    shown = Report(quiet=args.quiet, total=len(args.models))
    programs = _programs(args, dialect, shown)
    found: list[ModelReport] = []
    for model in args.models:
        found.append(report(model, programs, dialect=dialect, samples=args.samples, limit=args.max_tokens))
        shown.step()
    shown.before_output()
    print(_json(args.models, found) if args.json else _table(args.models, found))
    shown.finish(f"{count(len(found), 'model')} measured with {count(len(programs), 'program')}")
    return FAILED if shown.errors else DONE


def _programs(args: argparse.Namespace, dialect: Dialect, shown: Report) -> list[str]:
    """The programs in the dialect, chosen evenly from all files in their order; what cannot be read is said.

    Raises:
        SimPyError: there are none.
    """
    from simpy_cli import files
    from simpy_cli.folders import Search, find
    from transpiler import encode

    errors: list[SimPyError] = []
    paths = [source.path for source in find(args.data, Search.asked(args), errors)]
    for error in errors:
        shown.error(error)
    wanted = min(args.programs, len(paths))
    found: list[str] = []
    for path in (paths[i * len(paths) // wanted] for i in range(wanted)):
        try:
            found.append(encode(files.read(path)[0], dialect=dialect, path=files.shown(path), verify=False))
        except OSError as error:
            shown.error(files.os_error(error, path))
        except SimPyError as error:
            shown.error(error)
    if not found:
        raise SimPyError("no program to measure with", path=args.data[0], hint="name files or folders that hold .py files")
    return found


def _json(models: Sequence[str], found: Sequence[ModelReport]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({"models": [{"model": model, **asdict(one)} for model, one in zip(models, found, strict=True)]}, indent=1)


def _table(models: Sequence[str], found: Sequence[ModelReport]) -> str:
    """A row for each model. From the second on, nats are also compared with the first, program by program."""
    from simpy_cli.report import columns
    from simpy_eval.statistics import difference_interval, mean_interval

    rows = [("model", "MB", "parameters", "ms/token", "nats/program", "against the first", "free", "under masks")]
    for model, one in zip(models, found, strict=True):
        mean = mean_interval(one.nats, seed=0)
        apart = difference_interval(found[0].nats, one.nats, seed=0)
        rows.append(
            (
                visible(model),
                f"{one.megabytes:.2f}",
                f"{one.parameters:,}",
                f"{one.milliseconds_per_token:.2f}",
                f"{mean.value:.1f} [{mean.low:.1f}, {mean.high:.1f}]",
                "" if one is found[0] else f"{apart.value:+.1f} [{apart.low:+.1f}, {apart.high:+.1f}]",
                _shares(one.free),
                _shares(one.masked),
            )
        )
    return f"{columns(rows)}\n\nfree, under masks: generations that end by themselves / parse / compile"


def _shares(one: Validity) -> str:
    if not one.samples:
        return "-"
    return " / ".join(f"{100 * part / one.samples:.0f} %" for part in (one.ended, one.parsed, one.compiled))
