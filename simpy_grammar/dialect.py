"""A dialect: how each terminal of the grammar is spelled. Data only; compiling it is the job of ``simpy_grammar.compile``."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

from simpy_grammar.errors import DialectError
from simpy_grammar.terminals import GENERAL, LAYOUT, PYTHON

if TYPE_CHECKING:
    from pathlib import Path

GRAMMAR_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "grammars")
BUILT_IN = ("classic", "dense", "dense-newline")
COMPACT = "compact"

_LINE = re.compile(r'([A-Z_0-9]+)\s*:\s*("(?:[^"\\]|\\.)*"(?:\s*\|\s*"(?:[^"\\]|\\.)*")?)\s*$')
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}


class Dialect:
    """The spellings of one dialect. Dialects are not changed once they are made.

    Attributes:
        name: how the dialect is called in messages.
        spellings: terminal -> its texts. One text is the rule; the empty text means that the token is implied; a second
            text is used between a closing and an opening bracket or quote. A terminal that is missing takes the
            alternatives that use it out of the grammar.
        digest: a hash of the spellings, whatever the name.

    >>> Dialect.load("classic").spellings["DEF"]
    ('<def_stmt>',)
    """

    __slots__ = ("digest", "name", "spellings")

    def __init__(self, name: str, spellings: dict[str, tuple[str, ...]]) -> None:
        self.name = name
        self.spellings = spellings
        self.digest = hashlib.sha256(repr(sorted(spellings.items())).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dialect) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<dialect {self.name}>"

    @property
    def is_python(self) -> bool:
        """Whether texts of this dialect are valid Python (``compact``)."""
        return not self.spellings

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """The spellings in angle brackets, each once, in the order of the dialect: what a tokenizer should hold as one id."""
        texts = (text for texts in self.spellings.values() for text in texts)
        named = [text for text in texts if re.fullmatch(r"<[a-z_]+>", text)]
        return tuple(dict.fromkeys([*named, "<comment>", "<debug>"])) if self.spellings else ()

    @classmethod
    def load(cls, which: str | Path | Dialect) -> Dialect:
        """Return a dialect by name, from a file, or as it is.

        Raises:
            DialectError: there is no such dialect, or the file is not one.
        """
        if isinstance(which, Dialect):
            return which
        if which == COMPACT or which in BUILT_IN:
            return _load_built_in(str(which))
        path = os.fspath(which)
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join((*BUILT_IN, COMPACT))
            raise DialectError(f"no dialect {str(which)!r}", path=path, hint=f"use one of {known}, or a dialect file") from error
        return cls.parse(text, name=os.path.splitext(os.path.basename(path))[0], path=path)

    @classmethod
    def parse(cls, text: str, *, name: str, path: str | None = None) -> Dialect:
        """Read the text of a dialect file: lines ``TERMINAL: "text"`` and ``//`` comments."""
        spellings: dict[str, tuple[str, ...]] = {}
        known = {*PYTHON, *LAYOUT, *GENERAL}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("//"):
                continue
            match = _LINE.fullmatch(line)
            where = {"path": path, "line": number, "source_line": line}
            if match is None:
                raise DialectError('expected a line TERMINAL: "text"', **where)  # type: ignore[arg-type]  # one dict of several types
            if match[1] not in known or match[1] in spellings:
                what = "is spelled twice" if match[1] in spellings else "is no terminal of the grammar"
                raise DialectError(f"{match[1]} {what}", **where)  # type: ignore[arg-type]  # as above
            texts = tuple(_unescape(body) for body in _TEXT.findall(match[2]))
            if len(texts) > 1 and not all(texts):
                raise DialectError(f"{match[1]} is implied and spelled at once", **where)  # type: ignore[arg-type]  # as above
            spellings[match[1]] = texts
        return cls(name, spellings)

    def format(self) -> str:
        """The text of a dialect file that ``parse`` reads back."""
        lines = [f"// {self.name}", "// One line a terminal of simpy.lark; see the built-in dialects for what the spellings mean.", ""]
        lines += [f"{terminal}: {' | '.join(map(_escape, texts))}" for terminal, texts in self.spellings.items()]
        return "\n".join(lines) + "\n"

    def with_spellings(self, name: str, changes: dict[str, tuple[str, ...]]) -> Dialect:
        """A copy with some terminals spelled otherwise."""
        return Dialect(name, {**self.spellings, **changes})


_built_in: dict[str, Dialect] = {}


def _load_built_in(name: str) -> Dialect:
    if name == COMPACT:
        _built_in.setdefault(COMPACT, Dialect(COMPACT, {}))
    if name not in _built_in:
        path = os.path.join(GRAMMAR_FOLDER, f"{name}.lark")
        with open(path, encoding="utf-8") as file:
            _built_in[name] = Dialect.parse(file.read(), name=name, path=path)
    return _built_in[name]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text)


def _escape(text: str) -> str:
    for char, code in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(char, code)
    return f'"{text}"'
