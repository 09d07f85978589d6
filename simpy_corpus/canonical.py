"""The canonical form of a program: its lexemes without layout, comments and parentheses that change nothing; and its fingerprint.

Two texts have the same form only if they are the same program. A separator stands before every statement that does not begin with
a keyword, wherever comments stood. Strings without escapes have double quotes, since formatters change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from itertools import compress
from typing import NamedTuple

from simpy_grammar.stream import SPACE_ID, Stream
from simpy_grammar.terminals import DATA, ID, STARTS, TERMINALS, ids
from transpiler.parentheses import redundant_parentheses

_SEPARATOR, _START, _END = (ID[name] for name in ("LINE_SEP", "BLOCK_START", "BLOCK_END"))
_ENDS = frozenset((_SEPARATOR, ID["COMMENT"], ID["TRAILING_COMMENT"]))  # end a statement, or stand where one may end
_LEFT_OUT = frozenset((ID["HEADER_COMMENT"], ID["INNER_COMMENT"]))
_DECORATOR = ID["DECORATOR"]
_NEED_NO_SEPARATOR = (ids(*STARTS) - {_DECORATOR}) | {_END}
_BLOCKS = frozenset((_START, _END))
_HAS_TEXT = bytes(terminal.role == DATA for terminal in TERMINALS)
_STRING, _NUMBER = ID["STRING"], ID["NUMBER"]
_SHORT = 25  # lexemes; a function of fewer is known by its name too, since many programs hold one like it


class Canonical(NamedTuple):
    """The canonical form of a program, or of a part of one.

    Attributes:
        terminals: the ids of the terminals, one byte each.
        texts: their texts; empty but for names and literals.
    """

    terminals: bytes
    texts: list[str]

    @property
    def digest(self) -> bytes:
        """16 bytes; those of two different forms are different but for one chance in 10^28 among 10^5 programs."""
        hashed = blake2b(len(self.terminals).to_bytes(8, "little"), digest_size=16)
        hashed.update(self.terminals)
        # No program holds a NUL, so texts that are joined by one can be told apart.
        hashed.update("\0".join(compress(self.texts, self.terminals.translate(_HAS_TEXT.ljust(256, b"\0")))).encode())
        return hashed.digest()


def canonical(stream: Stream) -> Canonical:
    """The canonical form of a program, from its lexemes."""
    bare = _without_comments(stream)
    redundant = redundant_parentheses(bare)
    terminals, texts = bytearray(), list[str]()
    for i, (terminal, text) in enumerate(zip(bare.terminals, bare.texts, strict=True)):
        if terminal == SPACE_ID or i in redundant:
            continue
        terminals.append(terminal)
        texts.append(_text(terminal, text) if _HAS_TEXT[terminal] else "")
    return Canonical(bytes(terminals), texts)


def fingerprint(program: str, *, dialect: str = "python") -> str:
    """The fingerprint of a program as 32 hexadecimal digits: equal for two texts exactly if they are the same program.

    Args:
        program: its text.
        dialect: the dialect that it is written in.

    Raises:
        SimPyError: it is not a program of the dialect.

    >>> fingerprint("x = (1)  # one\\n\\ny='a'") == fingerprint('x=1;y = "a"')
    True
    >>> fingerprint("x = 1") == fingerprint("x = 2")
    False
    """
    from simpy_grammar.dialect import Dialect
    from transpiler.conversion import read_stream

    return canonical(read_stream(program, Dialect.load(dialect))).digest.hex()


def _without_comments(stream: Stream) -> Stream:
    bare = Stream()
    terminals, texts = bare.terminals, bare.texts
    before, ended = _START, False
    for terminal, text in zip(stream.terminals, stream.texts, strict=True):
        if terminal in _ENDS:
            ended = True
            continue
        if terminal in _LEFT_OUT:
            continue
        if terminal != SPACE_ID:
            if (ended or terminal == _DECORATOR) and before not in _BLOCKS and terminal not in _NEED_NO_SEPARATOR:
                terminals.append(_SEPARATOR)
                texts.append("")
            before, ended = terminal, False
        terminals.append(terminal)
        texts.append(text)
    return bare


def _text(terminal: int, text: str) -> str:
    """The text of a name or a literal, in one of the ways in which it may be written.

    >>> _text(_STRING, "b'a'"), _text(_STRING, "'\\\\n'"), _text(_NUMBER, "0XFF")
    ('b"a"', "'\\\\n'", '0xff')
    """
    if terminal == _NUMBER:
        return text.lower()
    if terminal == _STRING and text[-1] == "'" and '"' not in text and "\\" not in text:
        at = text.index("'")
        quotes = 3 if text.startswith("'''", at) and len(text) - at > 5 else 1
        mark = '"' * quotes
        return text[:at] + mark + text[at + quotes : -quotes] + mark
    return text


# ------------------------------------------------------------------------------------------------------- functions


def _one_of(*names: str) -> bytes:
    return b"[%b]" % re.escape(bytes(ID[name] for name in names))


def _none_of(*names: str) -> bytes:
    return b"[^%b]*" % re.escape(bytes(ID[name] for name in names))


_STATEMENT_START = b"[%b]" % re.escape(bytes(sorted(_NEED_NO_SEPARATOR)))
# Patterns over the ids of terminals. A string that is a statement is a docstring, or does nothing.
_DOCSTRING = re.compile(
    rb"(?:(?<=%b)|\A)%b(?:%b%b)*(?:%b|(?=%b)|\Z)"
    % (
        _one_of("LINE_SEP", "BLOCK_START", "BLOCK_END"),
        _one_of("STRING"),
        _one_of("CONCAT"),
        _one_of("STRING"),
        _one_of("LINE_SEP"),
        _STATEMENT_START,
    )
)
_ANNOTATION = re.compile(
    rb"%b%b|%b%b|%b%b"
    % (
        _one_of("PARAMETER_ANNOTATION"),
        _none_of("ANNOTATED_DEFAULT", "PARAMETER_SEP", "PARAMETERS_END"),
        _one_of("RETURN_ARROW"),
        _none_of("BLOCK_START"),
        _one_of("ANNOTATION"),
        _none_of("ASSIGN", "LINE_SEP", *(TERMINALS[terminal].name for terminal in _NEED_NO_SEPARATOR)),
    )
)
_BLOCK = re.compile(_one_of("BLOCK_START", "BLOCK_END"))
_DEFINITION = re.compile(_one_of("DEF"))
_DEFAULTS = bytes.maketrans(bytes((ID["ANNOTATED_DEFAULT"],)), bytes((ID["DEFAULT"],)))


class Function(NamedTuple):
    """A function of a program, without docstrings and annotations.

    Attributes:
        name: its name.
        digest: of its parameters and its body, and of its name where it is short.
    """

    name: str
    digest: bytes


def functions(program: Canonical) -> Iterator[Function]:
    """The functions of a program, in the order of the text; methods and inner functions too, but no short special methods.

    >>> from simpy_grammar.dialect import Dialect
    >>> from transpiler.conversion import read_stream
    >>> def read(text): return list(functions(canonical(read_stream(text, Dialect.load("python")))))
    >>> read("def f(a):\\n  'It is 1.'\\n  return 1") == read("def f(a: int) -> int: return 1")
    True
    """
    bare = _without(_without(program, _DOCSTRING), _ANNOTATION)
    terminals = bare.terminals.translate(_DEFAULTS)
    ends: dict[int, int] = {}
    opened: list[int] = []
    for found in _BLOCK.finditer(terminals):
        if terminals[found.start()] == _START:
            opened.append(found.start())
        else:
            ends[opened.pop()] = found.start()
    for found in _DEFINITION.finditer(terminals):
        name = found.start() + 1
        end = ends[terminals.index(_START, name)]
        short = end - name < _SHORT
        if short and (bare.texts[name].startswith("__") or bare.texts[name] == "main"):
            continue  # any two programs may have the same
        start = name if short else name + 1
        yield Function(bare.texts[name], Canonical(terminals[start:end], bare.texts[start:end]).digest)


def docstrings(program: Canonical) -> Iterator[str]:
    """The docstrings of a program, with their quotes, on one line each."""
    for found in _DOCSTRING.finditer(program.terminals):
        yield " ".join("".join(program.texts[found.start() : found.end()]).split())


def _without(program: Canonical, pattern: re.Pattern[bytes]) -> Canonical:
    """A form without the runs of lexemes that a pattern finds."""
    terminals, texts, at = bytearray(), list[str](), 0
    for found in pattern.finditer(program.terminals):
        terminals += program.terminals[at : found.start()]
        texts += program.texts[at : found.start()]
        at = found.end()
    return Canonical(bytes(terminals + program.terminals[at:]), texts + program.texts[at:])
