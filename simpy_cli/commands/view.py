"""``simpy view``: what a model should read of Python files: fewer parts of them, in fewer tokens, with line numbers."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from simpy_cli.options import add_dialect, add_paths, add_verbosity, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.dialect import PYTHON as AS_IT_IS
from simpy_grammar.errors import SimPyError, visible

if TYPE_CHECKING:
    from simpy_grammar.dialect import Dialect
    from tokenizer_ext.counting import TokenCounter

_NONE = "none"


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    from transpiler.views.registry import KINDS, spelled  # what views there are

    parser = command_parser(
        subparsers,
        "view",
        description="Print Python files for a model to read: parts of them, in any dialect, with the line numbers of the original "
        "beside definitions (41:def f(...):). What was left out is said on standard error. Views may be combined.\n\nviews:\n"
        + "".join(f"  {spelled(name):<16}{kind.help}\n" for name, kind in KINDS.items()),
        shown=(
            ("simpy view app.py", "the whole program in few tokens"),
            ("simpy view app.py --view signatures", "what it defines"),
            ("simpy view app.py --view symbol=Shop.total --view no-comments", "one method"),
            ("simpy view app.py --view lines=40-60 --dialect python --numbers all", "with a gutter"),
            ("simpy view src --view prune=2000 --tokenizer o200k_base", "each file in at most 2,000 tokens"),
        ),
    )
    add_paths(parser)
    parser.add_argument("--view", action="append", default=[], metavar="NAME", help="a view, see above; may be given again")
    add_dialect(parser, "--dialect", default="compact", python=True, help="the dialect to write")
    parser.add_argument(
        "--numbers", choices=("definitions", "all", _NONE), default="definitions", help="where line numbers stand (default definitions)"
    )
    what = "count tokens for prune=N with this tokenizer: a tokenizer.json, its folder, a tiktoken name or a hub id (default: estimate)"
    parser.add_argument("--tokenizer", metavar="NAME", help=what)
    parser.add_argument("--fast", action="store_true", help="skip the proof that what is printed is a program")
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Print the views of everything that was named."""
    import os

    from simpy_cli import files
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.folders import Search, find
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report, count, print_data
    from transpiler.source import read_source
    from transpiler.views import view
    from transpiler.views.registry import parse_views

    if files.STDIN in args.paths and len(args.paths) > 1:
        raise SimPyError("- (standard input) stands alone", path="simpy view", hint="see `simpy view --help`")
    try:
        parse_views(args.view)
    except SimPyError as refused:
        refused.path = "simpy view"
        raise
    dialect = load_dialect(args.dialect, args.tokenizer)
    counter = _counter(args.tokenizer, dialect)
    tokens = partial(counter.count_text, spelling=dialect.name)
    errors: list[SimPyError] = []
    paths = [source.path for source in find(args.paths, Search.asked(args), errors)]
    report = Report(quiet=args.quiet, verbose=args.verbose)
    for error in errors:
        report.error(error)
    done = before = after = 0
    several = len(args.paths) > 1 or os.path.isdir(args.paths[0])
    numbers = None if args.numbers == _NONE else args.numbers
    for path in paths:
        name = files.shown(path)
        try:
            data = files.read(path)[0]
            shown = view(data, args.view, dialect=dialect, numbers=numbers, count=tokens, path=name, verify=not args.fast)
        except OSError as error:
            report.error(files.os_error(error, path))
            continue
        except SimPyError as error:
            report.error(error)
            continue
        text = shown.text + ("\n" if several and shown.text and not shown.text.endswith("\n") else "")
        if several:
            text = ("\n" if done else "") + f"==> {visible(name)} <==\n{text}"
        print_data(text.encode("utf-8", "surrogatepass"), text)
        done, before, after = done + 1, before + counter.count_text(read_source(data), AS_IT_IS), after + (shown.tokens or 0)
        if not shown.fits:
            report.error(SimPyError(f"the smallest view has {count(shown.tokens or 0, 'token')}, which is above the budget", path=name))
        elif shown.summary:
            report.note(f"{name}: left out: {shown.summary}")
    about = by = ""
    if not args.tokenizer:
        from tokenizer_ext.estimation import explained

        about, by = "about ", f" ({explained(before)})"
    failed = f"; {count(report.errors, 'error')}" if report.errors else ""
    report.finish(f"{count(done, 'file')} shown, {about}{before:,} -> {count(after, 'token')}{by}{failed}")
    return FAILED if report.errors else DONE


def _counter(tokenizer: str | None, dialect: Dialect) -> TokenCounter:
    """What counts tokens: the tokenizer, with the tokens of the dialect as one each; else the built-in estimate."""
    from tokenizer_ext.counting import TokenCounter
    from tokenizer_ext.loading import load_tokenizer

    return TokenCounter(None if tokenizer is None else load_tokenizer(tokenizer), dialects=(AS_IT_IS, dialect))
