"""``simpy help``: what ``--help`` prints, of a command or of them all."""

from __future__ import annotations

import argparse

from simpy_cli.options import command_parser
from simpy_cli.registry import COMMANDS, Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "help",
        description="Print the help of a command, or the list of commands.",
        shown=(("simpy help", "which commands there are"), ("simpy help encode", "what `simpy encode --help` prints")),
    )
    parser.add_argument("topic", nargs="?", metavar="COMMAND", help="the command")


def run(args: argparse.Namespace) -> int:
    """Print it.

    Raises:
        SimPyError: there is no such command.
    """
    from simpy_cli.main import DONE, build_parser, command_alone
    from simpy_grammar.errors import SimPyError
    from simpy_grammar.suggestions import did_you_mean

    if args.topic is not None and args.topic not in COMMANDS:
        raise SimPyError(f"no command {args.topic!r}", path="simpy help", hint=did_you_mean(args.topic, COMMANDS, "see `simpy help`"))
    (build_parser([]) if args.topic is None else command_alone(args.topic)).print_help()
    return DONE
