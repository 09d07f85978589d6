"""``simpy fit``: a dialect for one vocabulary, or for one model. The options and the report; the search is in ``tokenizer_ext.fitting``,
and ``simpy_eval.judging`` asks models."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import add_corpus
from simpy_cli.numbers import decimal, whole
from simpy_cli.options import AUTO, add_dialect, command_parser
from simpy_cli.registry import Subparsers

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Sequence

    from simpy_cli.report import Report
    from simpy_eval.judging import Judged
    from tokenizer_ext.fitting import FitResult

_FUNCTIONS = 64
_HELD_OUT = 0.2  # share of the files of which a model is asked, and on which nothing is fitted


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "fit",
        description="Search the spelling of each terminal for the fewest tokens on a vocabulary, and write it as a dialect file, "
        "which every --dialect takes. With --model, ask a model as well: of the fitted dialect and the built-in ones, with and "
        "without the blanks of Python, the file is the one with the fewest tokens among those that "
        "cost the model no clearly larger number of nats than the best.",
        shown=(
            ("simpy fit --tokenizer cl100k_base --corpus src -o mine.lark", "fit a dialect on the Python below src"),
            ("simpy fit --model ./model --corpus src -o mine.lark", "weigh tokens and nats of a model that knows Python"),
            ("simpy encode --dialect mine.lark app.py", "use it"),
        ),
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--tokenizer", metavar="T", help="a tokenizer.json, a model folder, a tiktoken name or a hub id")
    which.add_argument("--model", metavar="DIR", help="a folder with a model of transformers and its tokenizer, to ask for nats as well")
    add_corpus(parser, "Python files and folders to count on")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the dialect file to write")
    what = "how much of the corpus to count on (default 0.5)"
    parser.add_argument("--sample", type=decimal("megabytes", above=0), default=0.5, metavar="MB", help=what)
    what = f"with --model: ask about so many functions of files that are held out (default {_FUNCTIONS})"
    parser.add_argument("--functions", type=whole("functions", least=1), metavar="N", help=what)
    parser.add_argument("--device", metavar="NAME", help="with --model: where it runs, such as cuda (default: the processor)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_dialect(parser, "--start", default=AUTO, help="the dialect to start from")


def run(args: argparse.Namespace) -> int:
    """Fit, write the file, print what was gained."""
    import os
    import random

    from simpy_cli import corpus
    from simpy_cli.commands.learn import save
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report
    from tokenizer_ext.fitting import fit, fitted_dialect
    from tokenizer_ext.loading import load_tokenizer

    _check_model(args)
    tokenizer = load_tokenizer(args.tokenizer or args.model)
    start = fitted_dialect(tokenizer) if args.start == AUTO else load_dialect(args.start)
    files, errors = corpus.read(args)
    programs = [program.source for program in files]
    random.Random(0).shuffle(programs)  # a sample of the whole corpus, the same each time
    held = max(1, round(_HELD_OUT * len(programs))) if args.model is not None and len(programs) > 1 else 0
    sample = _sample(programs[held:], args.sample)
    report = Report(quiet=args.quiet, total=2 * len(start.spellings))
    for error in errors:
        report.error(error)
    name = os.path.splitext(os.path.basename(args.output))[0]
    result = fit(tokenizer, sample, start=start, name=name, progress=lambda done, total: report.step())
    if args.model is not None:
        _judge(args, result, programs[:held] or programs, report)
    else:
        save(args.output, result.dialect.format())
        _show(args, result, report)
    return FAILED if errors else DONE


def _check_model(args: argparse.Namespace) -> None:
    """Check what concerns the model before the work.

    Raises:
        SimPyError: the folder holds none, or there is none to be asked.
        ModuleNotFoundError: a library is missing.
    """
    from simpy_grammar.errors import SimPyError

    if args.model is not None:
        from importlib.util import find_spec

        from simpy_eval.models import check_folder

        check_folder(args.model)
        for library in ("torch", "transformers"):
            if find_spec(library) is None:
                raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return
    for name in ("functions", "device"):
        if getattr(args, name) is not None:
            raise SimPyError(f"--{name} is for a model to be asked", path="simpy fit", hint="name it with --model")


def _sample(programs: Sequence[str], megabytes: float) -> list[str]:
    """The first programs that make up a size."""
    size, sample = 0, []
    for program in programs:
        sample.append(program)
        size += len(program)
        if size > megabytes * 1e6:
            break
    return sample


def _show(args: argparse.Namespace, result: FitResult, report: Report) -> None:
    report.before_output()
    for step in result.steps if not args.quiet else ():
        print(f"{step.terminal}: {' | '.join(map(repr, step.spelling))}  {step.tokens:,} tokens")

    def saved(tokens: int) -> str:
        return f"{100 - 100 * tokens / max(result.python, 1):.2f} %"

    before, after = saved(result.before), saved(result.after)
    report.finish(f"{result.start.name} saves {before}, {result.dialect.name} {after} of {result.python:,} tokens: {args.output}")


# ------------------------------------------------------------------------------------------------------------ with a model


def _judge(args: argparse.Namespace, result: FitResult, held: Sequence[str], report: Report) -> None:
    """Ask the model about the fitted dialect and the built-in ones, and write the one to choose."""
    import random

    from simpy_cli.commands.learn import save
    from simpy_cli.report import Report, count
    from simpy_eval.judging import choose, judge, spaced, units
    from simpy_grammar.dialect import BUILT_IN, Dialect

    functions = list(units(held))
    random.Random(0).shuffle(functions)
    name = result.dialect.name
    candidates = [Dialect.load(one) for one in BUILT_IN]
    candidates += [one for one in (result.dialect, spaced(result.dialect, f"{name}, spaced")) if one not in candidates and _is_sound(one)]
    report.before_output()
    asked = Report(quiet=args.quiet, total=len(candidates) + 2)
    python, compact, *judged = judge(
        args.model, candidates, functions[: args.functions or _FUNCTIONS], device=args.device, progress=asked.step
    )
    chosen = choose(judged)
    save(args.output, chosen.dialect.format())
    asked.before_output()
    if not args.quiet:
        print(_table(python, [compact, *judged], chosen))
    less = 100 - 100 * sum(chosen.tokens) / sum(python.tokens)
    more = 100 * sum(chosen.nats) / sum(python.nats) - 100
    what = f"{less:.1f} % of the tokens of {count(len(python.nats), 'function')} saved, {more:+.1f} % nats for this model"
    asked.finish(f"{chosen.dialect.name}: {what}: {args.output}")


def _is_sound(dialect: object) -> bool:
    """Whether the loader accepts a dialect: the spaced form of a sound one need not be."""
    from simpy_grammar.errors import DialectError
    from transpiler import encode

    try:
        encode("x = 1\n", dialect=dialect)  # type: ignore[arg-type]  # a dialect, whose import takes long
    except DialectError:
        return False
    return True


def _table(python: Judged, others: Sequence[Judged], chosen: Judged) -> str:
    """A row for each dialect; tokens and nats for each function, and against Python, function by function."""
    from statistics import fmean

    from simpy_cli.report import columns
    from simpy_eval.statistics import relative_interval

    rows = [("dialect", "tokens", "", "nats", "against Python [95 %]", "")]
    for one in (python, *others):
        apart = relative_interval(python.nats, one.nats, seed=0)
        less = f"{100 * sum(one.tokens) / sum(python.tokens) - 100:+.1f} %"
        more = f"{100 * apart.value:+.1f} % [{100 * apart.low:+.1f}, {100 * apart.high:+.1f}]"
        figures = (f"{fmean(one.tokens):,.1f}", "" if one is python else less, f"{fmean(one.nats):,.1f}", "" if one is python else more)
        rows.append((one.dialect.name, *figures, "chosen" if one is chosen else ""))
    return columns(rows)
