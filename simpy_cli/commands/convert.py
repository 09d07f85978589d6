"""``simpy convert``: one dialect to another. The options; the work is in ``simpy_cli.convert_all``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_conversion, add_dialect, add_layout, add_tokenizer, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "convert",
        description="Rewrite files in another dialect. One file goes to standard output; folders and several files "
        "need -o or --in-place. Folders are searched for SimPy files and notebooks, with --from python for Python ones. "
        "Files that become Python are called .py; those of other dialects, compact among them, .simpy.",
        shown=(
            ("simpy convert --to dense app.simpy", "print classic SimPy as dense SimPy"),
            ("simpy convert --from dense --to classic out --in-place", "rewrite a folder"),
            ("simpy convert --to my.lark app.simpy", "use a dialect file"),
            ("simpy convert --from dense --to python --width none app.simpy", "decode, and break no line"),
        ),
    )
    add_dialect(parser, "--from", python=True, help="the dialect to read")
    add_dialect(parser, "--to", default=None, python=True, help="the dialect to write")
    add_tokenizer(parser)
    add_layout(parser)
    add_conversion(parser)


def run(args: argparse.Namespace) -> int:
    """Convert everything that was named."""
    from simpy_cli.conversion import Task
    from simpy_cli.convert_all import convert_all, load_dialect, load_formatter
    from simpy_grammar.dialect import PYTHON
    from simpy_grammar.errors import SimPyError

    source, target = (load_dialect(which, args.tokenizer) for which in (getattr(args, "from"), args.to))
    if args.format and target.layout != PYTHON:
        raise SimPyError("--format is for Python", path="simpy convert", hint="add --to python, or leave --format out")
    formatter = load_formatter(args.format)
    task = Task(source, target, not args.fast, not (args.check or args.diff), args.diff, args.width, formatter)
    return convert_all(args, task, verb="converted")
