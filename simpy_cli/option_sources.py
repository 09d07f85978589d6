"""Options that may stand on the command line, in the environment and in a TOML file, in this order of weight. Which, a table says."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualcode.toml_files import read_toml
from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean

_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: its name on the command line and in the file, without dashes before it.
        default: its value where nobody says anything; a truth value makes the option a switch, a tuple one that may be repeated.
        help: its help text.
        value: makes the value out of a word; raises ``ArgumentTypeError``, without the word where that is a secret.
        metavar: what help texts call the value.
        choices: the words that it takes.
        short: another name on the command line, with its dash.
        separator: what separates several values in the environment.
        in_file: whether it may stand in the file.
        changes: whether a new value matters to a program that runs already.
    """

    name: str
    default: Any
    help: str
    value: Callable[[str], Any] = str
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    short: str = ""
    separator: str = ","
    in_file: bool = True
    changes: bool = True

    @property
    def dest(self) -> str:
        """Its name in Python."""
        return self.name.replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return isinstance(self.default, bool)

    @property
    def is_repeated(self) -> bool:
        """Whether it has any number of values."""
        return isinstance(self.default, tuple)

    def parse(self, word: str) -> Any:
        """The value of a word, which is also that of the environment.

        Raises:
            ArgumentTypeError: it has no such value.

        >>> Option("port", 1, "", int).parse("80"), Option("fast", False, "").parse("on"), Option("cors", (), "").parse("a, b")
        (80, True, ('a', 'b'))
        """
        if not word.strip():
            raise argparse.ArgumentTypeError("it is empty")
        if self.is_switch:
            if word.lower() not in _WORDS:
                raise argparse.ArgumentTypeError(f"{word!r} is neither true nor false")
            return _WORDS[word.lower()]
        if self.is_repeated:
            return tuple(self.value(part) for part in re.split(rf"\s*{self.separator}\s*", word.strip()))
        if self.choices and word not in self.choices:
            raise argparse.ArgumentTypeError(f"{word!r} is not one of {', '.join(self.choices)}")
        return self.value(word)

    def take(self, found: object) -> Any:
        """The value of what a TOML file says.

        Raises:
            ArgumentTypeError: it has no such value.
        """
        if self.is_switch:
            if not isinstance(found, bool):
                raise argparse.ArgumentTypeError("it is true or false")
            return found
        if self.is_repeated and isinstance(found, list):
            return tuple(self.value(_word(one)) for one in found)
        return self.parse(_word(found))


def _word(found: object) -> str:
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise argparse.ArgumentTypeError(f"a value of type {type(found).__name__} does not fit")
    return str(found)


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Declare options; those that are not given are missing from what the parser returns."""
    for option in options:
        names = [*([option.short] if option.short else []), f"--{option.name}"]
        common: dict[str, Any] = {"default": argparse.SUPPRESS, "help": option.help}
        if option.is_switch:
            parser.add_argument(*names, action=argparse.BooleanOptionalAction, **common)
        else:
            action = "append" if option.is_repeated else "store"
            parser.add_argument(*names, action=action, type=option.value, metavar=option.metavar, choices=option.choices, **common)


def read_options(options: Sequence[Option], given: Mapping[str, Any], environment: Mapping[str, str], prefix: str) -> argparse.Namespace:
    """The value of each option: that of the command line, else of the environment, else of the file, else the default.

    Args:
        options: the options; the file is the one that is called ``config``, if there is such an option.
        given: what the parser has returned.
        environment: the variables.
        prefix: what the names of the variables begin with; the rest is the option's name in capitals.

    Raises:
        SimPyError: a variable or a line of the file is not that of an option, or has no such value.

    >>> options = (Option("port", 1, "", int), Option("max-body", 32, "", int))
    >>> read_options(options, {"port": 3}, {"A_PORT": "2", "A_MAX_BODY": "7"}, "A_")
    Namespace(port=3, max_body=7)
    """
    values = {option.dest: option.default for option in options}
    near = _of_environment(options, environment, prefix)
    near |= {option.dest: _given(option, given[option.dest]) for option in options if option.dest in given}
    if near.get("config"):
        values |= _of_file(options, Path(near["config"]))
    return argparse.Namespace(**{**values, **near})


def _given(option: Option, value: Any) -> Any:
    return tuple(value) if option.is_repeated else value


def _of_environment(options: Sequence[Option], environment: Mapping[str, str], prefix: str) -> dict[str, Any]:
    known = {prefix + option.dest.upper(): option for option in options}
    found = {}
    for name, word in environment.items():
        if not name.startswith(prefix):
            continue
        if name not in known:
            raise SimPyError(f"the environment has {name}, which is not an option", hint=did_you_mean(name, known))
        try:
            found[known[name].dest] = known[name].parse(word)
        except argparse.ArgumentTypeError as error:
            raise SimPyError(f"{name} in the environment: {error}") from None
    return found


def _of_file(options: Sequence[Option], path: Path) -> dict[str, Any]:
    known = {option.name: option for option in options if option.in_file}
    found = {}
    for name, value in read_toml(path).items():
        if name not in known:
            raise SimPyError(f"{name!r} is not an option", path=str(path), hint=did_you_mean(name.replace("_", "-"), known))
        try:
            found[known[name].dest] = known[name].take(value)
        except argparse.ArgumentTypeError as error:
            raise SimPyError(f"{name}: {error}", path=str(path)) from None
    return found
