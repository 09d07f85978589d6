"""``simpy convert``: SimPy of one dialect to another. The options; the work is in ``simpy_cli.convert_all``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_conversion, add_dialect, add_tokenizer, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "convert",
        description="Rewrite SimPy files in another dialect. One file goes to standard output; folders and several files "
        "need -o or --in-place. Folders are searched for .simpy files, and names stay as they are.",
        shown=(
            ("simpy convert --to dense app.simpy", "print classic SimPy as dense SimPy"),
            ("simpy convert --from dense --to classic out --in-place", "rewrite a folder"),
            ("simpy convert --to my.lark app.simpy", "use a dialect file"),
        ),
    )
    add_dialect(parser, "--from", help="the SimPy to read")
    add_dialect(parser, "--to", default=None, help="the SimPy to write")
    add_tokenizer(parser)
    add_conversion(parser)


def run(args: argparse.Namespace) -> int:
    """Convert everything that was named."""
    from simpy_cli.conversion import Task
    from simpy_cli.convert_all import convert_all, load_dialect
    from simpy_cli.paths import SIMPY, same_name

    source, target = (load_dialect(which, args.tokenizer) for which in (getattr(args, "from"), args.to))
    task = Task(source, target, not args.fast, not (args.check or args.diff), args.diff)
    return convert_all(args, task, verb="converted", suffixes=SIMPY, rename=same_name)
