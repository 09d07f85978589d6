"""``simpy decode``: SimPy to Python. The options; the work is in ``simpy_cli.convert_all``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_aliases, add_conversion, add_dialect, add_layout, add_tokenizer, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "decode",
        description="Write SimPy as Python, laid out as PEP 8 says, or by a formatter, and in the encoding that the program declares. "
        "One file goes to standard output; folders and several files need -o or --in-place. "
        "Folders are searched for .simpy and .simpy.ipynb files.",
        shown=(
            ("simpy decode app.simpy", "print app.simpy as Python"),
            ("simpy decode out -o src", "convert a folder, out/a/b.simpy to src/a/b.py"),
            ("simpy decode app.simpy -o app.py --diff", "what would change in app.py?"),
            ("simpy decode --dialect auto --tokenizer gpt2 app.simpy", "the dialect that encode chooses for a vocabulary"),
            ("simpy decode --width 120 app.simpy", "break lines later"),
            ("simpy decode --format ruff app.simpy", "lay the Python out with ruff"),
            ("model | simpy decode -", "decode what a program prints"),
        ),
    )
    add_dialect(parser, "--dialect", python=True, help="the dialect to read")
    add_tokenizer(parser)
    add_aliases(parser)
    add_layout(parser)
    add_conversion(parser)


def run(args: argparse.Namespace) -> int:
    """Decode everything that was named."""
    from simpy_cli.conversion import Task
    from simpy_cli.convert_all import chosen, convert_all, load_dialect, load_formatter
    from simpy_grammar.dialect import PYTHON

    dialect = load_dialect(args.dialect, args.tokenizer, args.aliases)
    formatter = load_formatter(args.format)
    task = Task(dialect, load_dialect(PYTHON), not args.fast, not (args.check or args.diff), args.diff, args.width, formatter)
    return convert_all(args, task, verb=f"decoded{chosen(args.dialect, dialect)}")
