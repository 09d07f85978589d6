"""Counting: how many tokens a program is as Python and in each dialect, and what they are spent on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from tokenizer_ext.estimate import pieces
from tokenizer_ext.extend import check_lossless, planned
from tokenizer_ext.ids import Codec
from tokenizer_ext.kinds import Kind, Plain, kind_of
from tokenizer_ext.learned import LearnedTokens
from tokenizer_ext.scan import Scanner
from tokenizer_ext.spelling import own_tokens
from transpiler import encode, lexemes
from transpiler.rows import parse
from transpiler.source import read_source

PYTHON = "python"
COMPACT = "compact"
LEARNED = "learned"
SPELLINGS = (PYTHON, COMPACT, "classic", "dense", "dense-newline")
CLASSES = ("identifiers", "literals", "comments", "grammar")
_CLASS = {"NAME": "identifiers", "IMPORT_PREFIX": "grammar", "FIELD_START": "grammar", "FIELD_CONVERSION": "grammar"}
_LEAVES = {
    "identifier": "identifiers",
    "integer": "literals",
    "float": "literals",
    "string_start": "literals",
    "string_content": "literals",
    "string_end": "literals",
    "comment": "comments",
}
_COMMENTS = frozenset(("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT"))


@dataclass
class Count:
    """The tokens of some programs in one spelling.

    Attributes:
        tokens: how many there are.
        shares: how many of them each of ``CLASSES`` takes; a token across several lexemes is divided by characters.
    """

    tokens: int = 0
    shares: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))

    def add(self, other: Count) -> None:
        """Add the tokens of another program."""
        self.tokens += other.tokens
        for name, share in other.shares.items():
            self.shares[name] = self.shares.get(name, 0.0) + share


class Program:
    """A Python program, encoded once for each dialect that is asked for.

    Args:
        source: its text; bytes are decoded as PEP 263 says.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python.
    """

    def __init__(self, source: str | bytes, *, path: str | None = None) -> None:
        self.path = path
        self._texts: dict[str, str] = {"": read_source(source, path=path)}
        self._classes: dict[str, _Classes] = {}

    def text(self, dialect: Dialect | None) -> str:
        """The program in a dialect; ``None`` is the Python as it stands."""
        key = "" if dialect is None else dialect.digest
        if dialect is not None and key not in self._texts:
            self._texts[key] = encode(self._texts[""], dialect=dialect, verify=False, path=self.path)
        return self._texts[key]

    def classes(self, dialect: Dialect | None) -> _Classes:
        """What each part of that text is."""
        key = "" if dialect is None else dialect.digest
        if key not in self._classes:
            text = self.text(dialect)
            self._classes[key] = _python_classes(text) if dialect is None or dialect.is_python else _simpy_classes(text, dialect)
        return self._classes[key]


class Counter:
    """Counts programs for one tokenizer.

    Args:
        tokenizer: any that ``extend`` takes; ``None`` for the built-in estimate, which needs no vocabulary.
        dialects: names of ``SPELLINGS``, or dialect files.
        learned: learned tokens; they add the spelling ``learned``, their dialect with them.

    >>> counter = Counter(None, dialects=("python", "classic"))
    >>> {name: count.tokens for name, count in counter.count("def f(a):\\n    return a\\n").items()}
    {'python': 8, 'classic': 7}
    """

    def __init__(
        self,
        tokenizer: Any = None,
        *,
        dialects: Sequence[str | Path | Dialect] = SPELLINGS,
        learned: LearnedTokens | None = None,
    ) -> None:
        kind = None if tokenizer is None else kind_of(tokenizer)
        plain = None if kind is None else kind.plain(list(own_tokens(kind.added)))
        if plain is not None:
            check_lossless(plain)

        def spelling(dialect: Dialect | None, learned: LearnedTokens | None) -> _Spelling:
            return _Estimated(dialect, learned) if kind is None or plain is None else _Exact(dialect, learned, kind, plain)

        self._spellings: dict[str, _Spelling] = {}
        for which in dialects:
            name = which.name if isinstance(which, Dialect) else str(which)
            dialect = None if name == PYTHON else Dialect.load(which)
            self._spellings[name] = spelling(dialect, None)
        if learned is not None:
            self._spellings[LEARNED] = spelling(Dialect.load(learned.dialect), learned)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names of what is counted."""
        return tuple(self._spellings)

    def count(self, program: str | bytes | Program, *, shares: bool = False) -> dict[str, Count]:
        """The tokens of a Python program in each spelling.

        Args:
            program: its source; a ``Program`` if several counters count it.
            shares: also say what they are spent on, which takes longer.

        Raises:
            PythonSyntaxError: the source is not Python.
        """
        program = program if isinstance(program, Program) else Program(program)
        found: dict[str, Count] = {}
        for name, spelling in self._spellings.items():
            text = program.text(spelling.dialect)
            if shares:
                found[name] = _shared(spelling.spans(text), program.classes(spelling.dialect))
            else:
                found[name] = Count(spelling.count(text))
        return found


def count_program(source: str | bytes, tokenizer: Any = None, *, dialect: str | Path | Dialect = "classic") -> tuple[int, int]:
    """The tokens of a program as Python and in a dialect.

    >>> count_program("for i in range(3):\\n    print(i)\\n")
    (11, 11)
    """
    chosen = Dialect.load(dialect)
    counts = Counter(tokenizer, dialects=(PYTHON, chosen)).count(source)
    return counts[PYTHON].tokens, counts[chosen.name].tokens


# --------------------------------------------------------------------------------------------------------- spellings

_Span = tuple[int, int, float]  # start, end, tokens
_Classes = tuple[list[int], list[str]]  # where each lexeme starts, and its class


class _Spelling:
    """How one spelling is counted."""

    def __init__(self, dialect: Dialect | None) -> None:
        self.dialect = dialect

    def count(self, text: str) -> int:
        raise NotImplementedError

    def spans(self, text: str) -> Iterable[_Span]:
        raise NotImplementedError


class _Exact(_Spelling):
    """By the vocabulary, with the tokens of the dialect and learned tokens as one each."""

    def __init__(self, dialect: Dialect | None, learned: LearnedTokens | None, kind: Kind, plain: Plain) -> None:
        super().__init__(dialect)
        self._plain = plain
        self._codec: Codec | None = None
        if dialect is not None and not dialect.is_python:
            self._codec = Codec.of(dialect, planned(kind, dialect, learned)[0], plain)

    def count(self, text: str) -> int:
        return len(self._plain.encode([text])[0]) if self._codec is None else self._codec.count(text)

    def spans(self, text: str) -> Iterator[_Span]:
        spans = self._plain.spans(text) if self._codec is None else self._codec.spans(text)
        return ((start, end, 1.0) for start, end in spans)


class _Estimated(_Spelling):
    """By the built-in estimate, the tokens of the dialect and learned tokens as one each."""

    def __init__(self, dialect: Dialect | None, learned: LearnedTokens | None) -> None:
        super().__init__(dialect)
        simpy = dialect is not None and not dialect.is_python
        tokens = (*dialect.special_tokens, *(learned.tokens if learned else ())) if dialect is not None else ()
        self._scanner = Scanner(tokens, dialect) if dialect is not None and simpy else None

    def count(self, text: str) -> int:
        return round(sum(tokens for _, _, tokens in self.spans(text)))

    def spans(self, text: str) -> Iterator[_Span]:
        at = 0
        for start, end in self._scanner.find(text) if self._scanner is not None else ():
            yield from ((at + first, at + last, float(cost)) for first, last, cost in pieces(text[at:start]))
            yield start, end, 1.0
            at = end
        yield from ((at + first, at + last, float(cost)) for first, last, cost in pieces(text[at:]))


# ------------------------------------------------------------------------------------------------------------ shares


def _simpy_classes(text: str, dialect: Dialect) -> _Classes:
    starts, classes = [0], ["grammar"]
    for lexeme in lexemes(text, dialect=dialect):
        starts.append(lexeme.start)
        classes.append(_class_of(lexeme.terminal) if lexeme.is_data else "grammar")
    return starts, classes


def _class_of(terminal: str) -> str:
    return "comments" if terminal in _COMMENTS else _CLASS.get(terminal, "literals")


def _python_classes(text: str) -> _Classes:
    """The classes of a Python text, from the leaves of its syntax tree."""
    data = text.encode("utf-8", "replace")
    seen, at = 0, 0  # bytes and characters up to the last leaf
    starts, classes = [0], ["grammar"]
    for start, end, name in _leaves(data):
        for offset, what in ((start, name), (end, "grammar")):
            at += len(data[seen:offset].decode("utf-8", "replace"))
            seen = offset
            starts.append(at)
            classes.append(what)
    return starts, classes


def _leaves(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Start, end and class of the identifiers, literals and comments of a Python text, in bytes."""
    cursor = parse(data).walk()
    while True:
        node = cursor.node
        name = _LEAVES.get(node.type) if node is not None else None
        if node is not None and name is not None:
            yield node.start_byte, node.end_byte, name
        if name is None and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _shared(spans: Iterable[_Span], classes: _Classes) -> Count:
    """Divide the tokens among the classes of the characters that they stand for."""
    starts, names = classes
    count = Count()
    total = 0.0
    for start, end, tokens in spans:
        total += tokens
        i = bisect_right(starts, start) - 1
        if end <= start:
            count.shares[names[i]] += tokens
            continue
        at = start
        while at < end:
            stop = min(starts[i + 1], end) if i + 1 < len(starts) else end
            if stop > at:
                count.shares[names[i]] += tokens * (stop - at) / (end - start)
                at = stop
            i += 1
    count.tokens = round(total)
    return count
