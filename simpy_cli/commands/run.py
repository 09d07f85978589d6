"""``simpy run``: run a SimPy program as ``python`` would run the Python. The options; the work is in ``simpy_cli.program``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_dialect, add_tokenizer, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "run",
        usage="simpy run [-h] [--dialect DIALECT] [--tokenizer NAME] PROGRAM [ARGUMENT ...]",
        description="Run a SimPy program. It sees what it would see under `python PROGRAM`: its arguments in sys.argv, its folder "
        "first on sys.path, __name__ == '__main__'; its tracebacks point into the SimPy text. "
        "The exit code is the program's own, or 2 if it is not SimPy.",
        shown=(
            ("simpy run app.simpy", "run a program"),
            ("simpy run app.simpy --port 80 in.txt", "all that follows the program is for the program"),
            ("simpy run --dialect dense app.simpy", "a program in another dialect"),
            ("model | simpy run -", "run what a program prints"),
        ),
    )
    add_dialect(parser, "--dialect", python=True, help="the dialect to read")
    add_tokenizer(parser)
    # One argument for both: argparse would otherwise look for options between the program and its arguments.
    parser.add_argument("program", nargs=argparse.REMAINDER, metavar="PROGRAM ...", help="a SimPy file, or -, and its arguments")


def run(args: argparse.Namespace) -> int:
    """Run the program; return its exit code."""
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.program import run_program
    from simpy_grammar.errors import SimPyError

    if not args.program:
        raise SimPyError("which program?", path="simpy run", hint="simpy run PROGRAM [ARGUMENT ...]")
    return run_program(args.program[0], args.program[1:], load_dialect(args.dialect, args.tokenizer))
