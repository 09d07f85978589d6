"""``simpy encode``: Python to SimPy. The options; the work is in ``simpy_cli.convert_all``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_aliases, add_conversion, add_dialect, add_tokenizer, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "encode",
        description="Write Python as SimPy. One file goes to standard output; folders and several files need -o or --in-place. "
        "Folders are searched for .py, .pyi, .pyw and .ipynb files, without hidden folders, what git ignores and virtual environments.",
        shown=(
            ("simpy encode app.py", "print app.py as SimPy"),
            ("simpy encode app.py -o app.simpy", "write it to a file"),
            ("simpy encode src tests -o out -j 4", "convert two folders into out/, in four processes"),
            ("simpy encode src --in-place", "replace each .py by a .simpy"),
            ("simpy encode --dialect dense - < app.py", "read standard input, write another dialect"),
            ("simpy encode --dialect auto --tokenizer gpt2 app.py", "the dense dialect that suits a vocabulary"),
            ("simpy encode --dialect dense --aliases 64 app.py", "a token for each name that comes again and again"),
            ("simpy encode --dialect python src --in-place", "lay Python out as decode does"),
            ("simpy encode src -o out --check", "are the files in out/ up to date?"),
        ),
    )
    add_dialect(parser, "--dialect", python=True, help="the dialect to write")
    add_tokenizer(parser)
    add_aliases(parser)
    add_conversion(parser)


def run(args: argparse.Namespace) -> int:
    """Encode everything that was named."""
    from simpy_cli.conversion import Task
    from simpy_cli.convert_all import chosen, convert_all, load_dialect
    from simpy_grammar.dialect import PYTHON

    dialect = load_dialect(args.dialect, args.tokenizer, args.aliases)
    task = Task(load_dialect(PYTHON), dialect, not args.fast, not (args.check or args.diff), args.diff)
    return convert_all(args, task, verb=f"encoded{chosen(args.dialect, dialect)}")
