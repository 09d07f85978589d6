"""The canonical form of a program: its lexemes without layout, comments and parentheses that change nothing; and its fingerprint.

Two texts have the same form only if they are the same program. A separator stands before every statement that does not begin with
a keyword, wherever comments stood. Brackets that only a comment needed are left out. Strings without escapes have double quotes, since
formatters change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import compress
from typing import NamedTuple

from simpy_grammar.stream import SPACE_ID, Stream
from simpy_grammar.terminals import COMMENT, DATA, ID, STARTS, TERMINALS, ids
from transpiler.parentheses import redundant_parentheses

_SEPARATOR, _START, _END, _STRING, _NUMBER = (ID[name] for name in ("LINE_SEP", "BLOCK_START", "BLOCK_END", "STRING", "NUMBER"))
_COMMENTS = ids(COMMENT)
_BLOCKS = frozenset((_START, _END))
_NEED_NO_SEPARATOR = ids(*STARTS) | {_END}
_SHORT = 25  # lexemes; a function of fewer is known by its name too, since many programs hold one like it


def _flags(chosen: Iterable[int]) -> bytes:
    """A table for ``bytes.translate``: 1 for these terminals, 0 for others."""
    wanted = frozenset(chosen)
    return bytes(i in wanted for i in range(256))


def _one_of(*terminals: int) -> bytes:
    return b"[%b]" % re.escape(bytes(sorted(terminals)))


def _named(*names: str) -> bytes:
    return _one_of(*(ID[name] for name in names))


_ELEMENTS = ("ELEMENT_SEP", "EXPRESSION_SEP", "TARGET_SEP", "INDEX_SEP")
_ELEMENT_SEP = ID["ELEMENT_SEP"]
_HAS_TEXT = _flags(ids(DATA))
_CODE = _flags(set(range(len(TERMINALS))) - _COMMENTS - {SPACE_ID})
_NO_COMMENT = _flags(set(range(len(TERMINALS))) - _COMMENTS)
# Patterns over the ids of terminals, which are one byte each.
_COMMENT = re.compile(_one_of(*_COMMENTS))
_BETWEEN = re.compile(_one_of(*_COMMENTS, _SEPARATOR, SPACE_ID) + b"+")
_ENDS = re.compile(_one_of(_SEPARATOR, ID["COMMENT"], ID["TRAILING_COMMENT"]))  # end a statement, or stand where one may end
_DECORATED = re.compile(_one_of(_SEPARATOR) + b"(?=" + _one_of(ID["DECORATOR"]) + b")")
_LITERAL = re.compile(_one_of(_STRING, _NUMBER))
# Where parentheses go, a comma changes its name. It separates elements all the same.
_COMMAS = bytes(_ELEMENT_SEP if TERMINALS[i].name in _ELEMENTS else i for i in range(len(TERMINALS))).ljust(256, b"\0")
# What a comment in brackets has left: the names of an import and the items of a with statement in parentheses, empty parameters.
_NAMES = re.compile(b"(?<=%b)%b[^%b]*(%b)" % (_named("IMPORT_NAMES", "FUTURE_IMPORT"), _named("("), bytes((ID[")"],)), _named(")")))
_ITEMS = re.compile(b"(%b%b)[^%b]*(%b)%b" % (*map(_named, ("WITH_PARENTHESES", "(")), bytes((_START,)), _named(")"), bytes((_START,))))
_NO_PARAMETERS = re.compile(_named("PARAMETERS_START") + _named("PARAMETERS_END"))
_EMPTY_PARAMETERS = ID["EMPTY_PARAMETERS"]


class Canonical(NamedTuple):
    """The canonical form of a program, or of a part of one.

    Attributes:
        terminals: the ids of the terminals, one byte each.
        texts: their texts; those of names and literals count, the others are as the text that was read spells them.
    """

    terminals: bytes
    texts: list[str]

    @property
    def digest(self) -> bytes:
        """16 bytes; those of two different forms are different but for one chance in 10^28 among 10^5 programs."""
        hashed = blake2b(len(self.terminals).to_bytes(8, "little"), digest_size=16)
        hashed.update(self.terminals)
        # No program holds a NUL, so texts that are joined by one can be told apart.
        hashed.update("\0".join(compress(self.texts, self.has_text)).encode())
        return hashed.digest()

    @property
    def has_text(self) -> bytes:
        """For each lexeme 1 if its text counts, else 0."""
        return self.terminals.translate(_HAS_TEXT)


def canonical(stream: Stream) -> Canonical:
    """The canonical form of a program, from its lexemes."""
    bare = _without_comments(stream)
    kept = bytearray(bytes(bare.terminals).translate(_CODE))
    for i in redundant_parentheses(bare):
        kept[i] = 0
    for separator in _DECORATED.finditer(bytes(bare.terminals)):
        kept[separator.start()] = 0  # it is there or not, as comments stood
    terminals, texts = bytes(compress(bare.terminals, kept)).translate(_COMMAS), list(compress(bare.texts, kept))
    for literal in _LITERAL.finditer(terminals):
        i = literal.start()
        texts[i] = _text(terminals[i], texts[i])
    return Canonical(terminals, texts)


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
    """A stream without comments, with separators as if there had never been any."""
    terminals = bytearray(stream.terminals)
    if not _COMMENT.search(terminals):
        return stream
    kept = bytearray(terminals.translate(_NO_COMMENT))
    for run in _BETWEEN.finditer(stream_ids := bytes(terminals)):
        ends = [end.start() for end in _ENDS.finditer(stream_ids, *run.span())]
        if not ends or run.end() - run.start() == 1 and stream_ids[ends[0]] == _SEPARATOR:
            continue
        for i in ends:
            kept[i] = 0
        before = stream_ids[run.start() - 1] if run.start() else _START
        after = stream_ids[run.end()] if run.end() < len(stream_ids) else _END
        if before not in _BLOCKS and after not in _NEED_NO_SEPARATOR:
            terminals[ends[0]], kept[ends[0]] = _SEPARATOR, 1
    bare = Stream()
    bare.terminals = list(compress(terminals, kept))
    bare.texts = list(compress(stream.texts, kept))
    return _without_their_brackets(bare)


def _without_their_brackets(stream: Stream) -> Stream:
    """A stream without the brackets that only comments in them needed."""
    terminals = bytearray(stream.terminals)
    kept = bytearray(b"\1" * len(terminals))
    before = bytes(terminals)
    for names in _NAMES.finditer(before):
        kept[names.start()] = kept[names.start(1)] = 0
    for items in _ITEMS.finditer(before):
        kept[items.start()] = kept[items.start() + 1] = kept[items.start(2)] = 0
    for empty in _NO_PARAMETERS.finditer(before):
        terminals[empty.start()], kept[empty.start() + 1] = _EMPTY_PARAMETERS, 0
    if 0 in kept:
        stream.terminals = list(compress(terminals, kept))
        stream.texts = list(compress(stream.texts, kept))
    return stream


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


def _none_of(*terminals: int) -> bytes:
    return b"[^%b]*" % re.escape(bytes(sorted(terminals)))


# A string that is a statement is a docstring, or does nothing.
_DOCSTRING = re.compile(
    rb"(?:(?<=%b)|\A)%b(?:%b%b)*(?:%b|(?=%b)|\Z)"
    % (_one_of(_SEPARATOR, _START, _END), *map(_named, ("STRING", "CONCAT", "STRING", "LINE_SEP")), _one_of(*_NEED_NO_SEPARATOR))
)
_ANNOTATION = re.compile(
    rb"%b%b|%b%b|%b%b"
    % (
        _named("PARAMETER_ANNOTATION"),
        _none_of(*(ID[name] for name in ("ANNOTATED_DEFAULT", "PARAMETER_SEP", "PARAMETERS_END"))),
        _named("RETURN_ARROW"),
        _none_of(_START),
        _named("ANNOTATION"),
        _none_of(ID["ASSIGN"], _SEPARATOR, *_NEED_NO_SEPARATOR),
    )
)
_BLOCK = re.compile(_one_of(_START, _END))
_DEFINITION = re.compile(_named("DEF"))
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
        strings = compress(program.texts[found.start() : found.end()], found[0].translate(_HAS_TEXT))
        yield " ".join("".join(strings).split())


def _without(program: Canonical, pattern: re.Pattern[bytes]) -> Canonical:
    """A form without the runs of lexemes that a pattern finds."""
    terminals, texts, at = bytearray(), list[str](), 0
    for found in pattern.finditer(program.terminals):
        terminals += program.terminals[at : found.start()]
        texts += program.texts[at : found.start()]
        at = found.end()
    return Canonical(bytes(terminals + program.terminals[at:]), texts + program.texts[at:])
