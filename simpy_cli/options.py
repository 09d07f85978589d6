"""What the subcommands' options have in common: the shared arguments, help texts with examples, and the exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from simpy_cli.numbers import whole
from simpy_cli.registry import COMMANDS, Subparsers

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import Any, NoReturn

EXIT_CODES = """exit codes:
  0  done
  1  a check found something: --check saw a file that would change, `simpy check` a failure, `simpy policy drift` a change
  2  an error: bad input, a file that cannot be read or written, or wrong usage
  (130 interrupted, 141 the reader of the output went away; `simpy run` passes on the program's own)
"""
FOR_MODELS = ("classic", "dense", "dense-newline", "classic-spaced", "dense-spaced", "dense-open", "compact")
DIALECTS = (*FOR_MODELS, "python")
AUTO = "auto"  # stands for the built-in dialect that suits a tokenizer best


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with its epilog as written and room for the longest name."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=80)
        self._action_max_length = 4 + max(map(len, COMMANDS))  # argparse forgets that subcommands are indented

    def format_help(self) -> str:
        """The text, as wide as the terminal. That is asked only here: argparse makes a formatter for each option, and asking is slow."""
        from shutil import get_terminal_size

        self._width = get_terminal_size().columns - 2
        self._max_help_position = min(32, max(self._width - 20, 4))
        return super().format_help()

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else argparse.HelpFormatter._fill_text(self, text, width, indent)


class Parser(argparse.ArgumentParser):
    """A parser whose errors name the option that was meant, and show what would act on a terminal."""

    _words: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What argparse does, with the words kept for its errors."""
        self._words = tuple(args or ())
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Print the usage, the message and a hint, and leave."""
        from simpy_grammar.errors import visible

        self.print_usage(sys.stderr)
        hint = self._hint()
        self.exit(2, f"{visible(self.prog)}: error: {visible(message)}\n" + (f"hint: {visible(hint)}\n" if hint else ""))

    def _hint(self) -> str:
        """What was meant by the first word that is like an option or a choice, and is neither."""
        from simpy_grammar.suggestions import did_you_mean

        flags = list(self._option_string_actions)
        words = [str(choice) for action in self._actions if not action.option_strings for choice in action.choices or ()]
        before = ""
        for word in self._words:
            name, _, value = word.partition("=")
            if word.startswith("--") and len(word) > 2 and name not in flags:
                hint = did_you_mean(name, flags)
                if hint:
                    return hint
            action = self._option_string_actions.get(name if value else before)
            if action is not None and action.choices is not None and (value or word) not in action.choices:
                return did_you_mean(value or word, map(str, action.choices))
            if action is None and not word.startswith("-"):
                hint = did_you_mean(word, words) if word not in words else ""
                if hint:
                    return hint
            before = word
        return ""


def examples(lines: Iterable[tuple[str, str]]) -> str:
    """The examples of a help text, their comments aligned.

    >>> print(examples([("simpy run a.simpy", "run it")]), end="")
    examples:
      simpy run a.simpy  # run it
    <BLANKLINE>
    """
    rows = list(lines)
    width = max(len(command) for command, _ in rows)
    return "examples:\n" + "".join(f"  {command:{width}}  # {what}\n" for command, what in rows) + "\n"


def command_parser(
    subparsers: Subparsers[argparse.ArgumentParser],
    name: str,
    *,
    description: str,
    shown: Iterable[tuple[str, str]],
    usage: str | None = None,
) -> argparse.ArgumentParser:
    """The parser of one subcommand, with its examples and the exit codes below the options."""
    epilog = examples(shown) + EXIT_CODES
    return subparsers.add_parser(
        name, help=COMMANDS[name], description=description, epilog=epilog, usage=usage, formatter_class=Formatter, allow_abbrev=False
    )


def add_dialect(
    parser: argparse.ArgumentParser,
    *flags: str,
    default: str | None = "classic",
    auto: bool = True,
    python: bool = False,
    help: str,  # noqa: A002  # argparse's word
) -> None:
    """An option that takes a dialect, a name or a file; without a default it is required.

    Commands that can name a tokenizer take ``auto`` too; others say so with ``auto=False``. ``python`` offers the dialect of
    that name, which is for people and not for models.
    """
    names = DIALECTS if python else FOR_MODELS
    if auto:
        names = (*names, f"{AUTO} (what suits --tokenizer best)")
    default_note = "" if default is None else f" (default {default})"
    text = f"{help}: {', '.join(names)}, or a file{default_note}"
    parser.add_argument(*flags, metavar="DIALECT", default=default, required=default is None, help=text)


def add_tokenizer(parser: argparse.ArgumentParser) -> None:
    """``--tokenizer``, for commands that need one only to choose a dialect."""
    what = "the vocabulary for --dialect auto: a tokenizer.json, its folder, a tiktoken name or a hub id"
    parser.add_argument("--tokenizer", metavar="NAME", help=what)


def add_aliases(parser: argparse.ArgumentParser) -> None:
    """``--aliases``."""
    what = "a token for each of the N names of a program that gain most, as --dialect DIALECT-aliases-N has (default: none)"
    parser.add_argument("--aliases", type=whole("aliases"), metavar="N", help=what)


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """``-q`` and ``-v``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    group.add_argument("-v", "--verbose", action="store_true", help="print a line for each file")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """``-j``."""
    parser.add_argument("-j", "--jobs", type=_count, default=1, metavar="N", help="use N processes; 0 for one per processor (default 1)")


def _count(text: str) -> int:
    return whole("processes")(text) or os.cpu_count() or 1


def add_paths(parser: argparse.ArgumentParser) -> None:
    """What is read: files, and folders with what is left out of them."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, or - for standard input")
    add_search(parser)


def add_search(parser: argparse.ArgumentParser) -> None:
    """What is left out of folders, and which named files are Python."""
    what = "leave out what matches in folders, as a line of .gitignore would; may be given again"
    parser.add_argument("--exclude", action="append", default=[], metavar="GLOB", help=what)
    what = "read what git ignores too, and folders such as venv and node_modules"
    parser.add_argument("--no-ignore", action="store_true", help=what)
    what = "where Python is read, take named files as Python whatever their names end in"
    parser.add_argument("--force", action="store_true", help=what)


def add_cache(parser: argparse.ArgumentParser) -> None:
    """``--no-cache``."""
    parser.add_argument("--no-cache", action="store_true", help="do not skip files that are as they were in an earlier run")


def add_conversion(parser: argparse.ArgumentParser) -> None:
    """The arguments of encode, decode and convert: what is read and where it goes."""
    add_paths(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-o", "--output", metavar="PATH", help="write to this file; for folders and several files, into this folder")
    where.add_argument("--in-place", action="store_true", help="put each converted file in the place of its original")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change, as a unified diff")
    parser.add_argument("--fast", action="store_true", help="skip the proof that the result is the same program")
    add_cache(parser)
    add_jobs(parser)
    add_verbosity(parser)


def add_layout(parser: argparse.ArgumentParser) -> None:
    """How the Python of decode and convert is laid out: by us to a width, or by a formatter."""
    group = parser.add_mutually_exclusive_group()
    what = "break lines of Python inside brackets after N columns; none breaks no line (default 88)"
    group.add_argument("--width", type=_width, default=88, metavar="N", help=what)
    group.add_argument("--format", choices=("ruff", "black"), help="lay Python out with this formatter, which must be installed")


def _width(text: str) -> int | None:
    if text == "none":
        return None
    try:
        return whole(least=1)(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of columns nor none") from None
