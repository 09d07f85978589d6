"""The options of a policy as a text: ``file=answers.sqlite,size=64``."""

from __future__ import annotations

import math

from simpy_grammar.errors import SimPyError

_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")


class Options:
    """Options that a policy takes one after the other; ``end`` refuses those that it did not take.

    Args:
        policy: the name of the policy, for errors.
        text: ``NAME=VALUE``, separated by commas; a value has no comma.

    Raises:
        SimPyError: the text is not of that form, or names an option twice.

    >>> options = Options("cache", "size=64,sampled=yes")
    >>> options.number("size", 256), options.flag("sampled"), options.text("file", "answers.sqlite")
    (64.0, True, 'answers.sqlite')
    >>> options.end()
    """

    def __init__(self, policy: str, text: str) -> None:
        self._policy = policy
        self._given: dict[str, str] = {}
        self._known: list[str] = []
        for part in text.split(",") if text else ():
            name, equals, value = part.partition("=")
            name = name.strip()
            if not (name and equals):
                raise SimPyError(f"the policy {policy} does not understand {part!r}", hint="write options as NAME=VALUE,NAME=VALUE")
            if name in self._given:
                raise SimPyError(f"the policy {policy} got the option {name!r} twice")
            self._given[name] = value.strip()

    def text(self, name: str, default: str = "") -> str:
        """The value of an option."""
        self._known.append(name)
        return self._given.get(name, default)

    def number(self, name: str, default: float, least: float = 0.0, most: float = float("inf")) -> float:
        """The value of an option that is a number.

        Raises:
            SimPyError: it is not a number between ``least`` and ``most``, or is infinite where ``most`` is.
        """
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most or value == math.inf:
            bounds = f"from {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
            raise SimPyError(f"the option {name} of the policy {self._policy} is a number {bounds}, not {text!r}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """The value of an option that is ``yes`` or ``no``.

        Raises:
            SimPyError: it is neither.
        """
        text = self.text(name, "yes" if default else "no").lower()
        if text not in _YES + _NO:
            raise SimPyError(f"the option {name} of the policy {self._policy} is yes or no, not {text!r}")
        return text in _YES

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """The value of an option that is one of these words.

        Raises:
            SimPyError: it is not one of them.
        """
        text = self.text(name, default)
        if text not in choices:
            raise SimPyError(f"the option {name} of the policy {self._policy} is one of {', '.join(choices)}, not {text!r}")
        return text

    def end(self) -> None:
        """Refuse the options that nothing asked for.

        Raises:
            SimPyError: there are some.
        """
        unknown = [name for name in self._given if name not in self._known]
        if unknown:
            there = f"it has: {', '.join(self._known)}" if self._known else "it has no options"
            raise SimPyError(f"the policy {self._policy} has no option {unknown[0]!r}", hint=there)
