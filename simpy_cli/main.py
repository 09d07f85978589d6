"""The entry point: picks the subcommand, and turns every way that it can end into an exit code.

It knows no subcommand by name; ``simpy_cli.registry`` does.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Iterable, Sequence

from simpy_cli.options import EXIT_CODES, Formatter, Parser, examples
from simpy_cli.registry import COMMANDS, load

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import Any

DONE, FOUND, FAILED = 0, 1, 2
INTERRUPTED, CLOSED = 130, 141  # what a shell reports for SIGINT and SIGPIPE

_DESCRIPTION = "SimPy is Python respelled for language models: the same program in fewer tokens."
_EXAMPLES = (
    ("simpy encode app.py", "print app.py as SimPy"),
    ("simpy encode src -o out", "convert a folder into out/, src/a/b.py to out/a/b.simpy"),
    ("simpy decode app.simpy -o app.py", "and back to Python"),
    ("simpy check src", "prove that nothing is lost, in every dialect"),
    ("simpy run app.simpy --port 80", "run a SimPy program with its arguments"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    >>> main(["completion", "tcsh"])
    2
    """
    words = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(50_000)  # looking for garbage as often as Python does takes a twentieth of a short run
    if argv is None:
        atexit.register(gc.freeze)  # and looking for it once more at the end a tenth
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return CLOSED
    except OSError as error:  # files are seen to elsewhere: this is standard output, on a disk that is full
        from simpy_cli.files import os_error
        from simpy_cli.report import print_error

        print_error(os_error(error, "<stdout>"))
        _silence_stdout()
        return FAILED


def build_parser(commands: Iterable[str]) -> argparse.ArgumentParser:
    """The parser of the command line, with the options of ``commands`` in full and the others by name only."""
    parser = Parser(prog="simpy", description=_DESCRIPTION, epilog=examples(_EXAMPLES) + EXIT_CODES, formatter_class=Formatter)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    wanted = set(commands)
    for name, summary in COMMANDS.items():
        if name in wanted:
            load(name).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary, add_help=False)
    return parser


def command_alone(name: str) -> argparse.ArgumentParser:
    """The parser of one command, made without those of the others."""
    alone = _Alone()
    load(name).add_parser(alone)
    return alone.parser


class _Alone:
    """Stands in the place of the subparsers of the whole command line, and makes the one parser that is needed.

    Attributes:
        parser: that parser.
    """

    parser: argparse.ArgumentParser

    def add_parser(self, name: str, *, help: str, **options: Any) -> argparse.ArgumentParser:  # noqa: A002  # argparse's word
        """What ``add_parser`` of the subparsers does, as far as it is needed."""
        self.parser = Parser(prog=f"simpy {name}", **options)
        return self.parser


def _run(words: list[str]) -> int:
    try:
        if words and not words[0].startswith("-") and words[0] not in COMMANDS:
            return _no_such_command(words[0])
        if words and words[0] in COMMANDS:
            args = command_alone(words[0]).parse_args(words[1:], argparse.Namespace(command=words[0], version=False))
        else:
            parser = build_parser([])
            args = parser.parse_args(words)
    except SystemExit as end:  # argparse has said what is wrong, or printed its help
        return int(end.code or DONE)
    if args.version:
        print(f"simpy {version()}")
        return DONE
    if args.command is None:
        parser.print_help(sys.stderr)
        return FAILED
    from simpy_grammar.errors import SimPyError

    try:
        code: int = load(args.command).run(args)
        return code
    except SimPyError as error:
        problem = error
        if error.path is None and error.line is None:  # it is about the command, and not about a text
            error.path = f"simpy {args.command}"
    except ModuleNotFoundError as error:
        from simpy_grammar.installing import LIBRARIES, install

        library = (error.name or "").partition(".")[0]
        if library not in LIBRARIES:  # a bug
            raise
        problem = SimPyError(f"this needs the library {library}", path=f"simpy {args.command}", hint=install(library))
    from simpy_cli.report import print_error

    print_error(problem)
    return FAILED


def _no_such_command(word: str) -> int:
    from simpy_cli.report import print_error
    from simpy_grammar.errors import SimPyError
    from simpy_grammar.suggestions import did_you_mean

    print_error(SimPyError(f"no command {word!r}", path="simpy", hint=did_you_mean(word, COMMANDS, "see `simpy --help`")))
    return FAILED


def version() -> str:
    """The version of the toolchain."""
    from importlib import metadata  # slow to import, and wanted here only

    try:
        return metadata.version("simpy-lang")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _silence_stdout() -> None:
    """Give the interpreter's last flush somewhere to go, or it would report the closed pipe once more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # not a real file: nothing will be flushed to it
        return
