"""The statements of a program, as ranges of its tokens.

A block is a list of items: statements, and comments on lines of their own. A compound statement has clauses: a header, and a
block of its own. The decorators of a definition, and comments between them, belong to its header. For example::

    if a:          item (compound)   clause   header ``if a``
        b                                     block: item ``b``
    else:                            clause   header ``else``
        c = 1                                 block: item ``c = 1``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from transpiler.edits.tokens import CLOSING, COMMENT, COMMENTS, DEDENT, INDENT, LAYOUT, NEWLINE, OPENING, PREFIXES, Tokens, begins_statement

_CLAUSES = frozenset(("^elif", "^else", "^except", "^finally"))

_TURNS = LAYOUT | CLOSING | frozenset((*OPENING, COMMENT))  # what may end a row, or open a bracket in it
_DEFINITIONS = frozenset(("^def", "^class"))


class Clause:
    """A header and its block.

    Attributes:
        start, end: the header's tokens, with a comment at its end, without the block start.
        items: the block.
        close: index of the token after the block end.
    """

    __slots__ = ("close", "end", "items", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.items: list[Item] = []
        self.close = end


class Item:
    """A statement, or a comment on lines of its own.

    Attributes:
        start, end: its tokens. The comment at the end of a simple statement is one of them, the block ends of a compound one too.
        head: the word that it begins with: a keyword, ``NAME`` and so on; of a definition ``^def`` or ``^class``.
        name: the name that a definition defines; empty for others.
        clauses: of a compound statement.
    """

    __slots__ = ("_words", "clauses", "end", "head", "name", "start")

    def __init__(self, words: list[str], start: int, end: int, head: str, name: str) -> None:
        self._words: str | list[str] = words
        self.start = start
        self.end = end
        self.head = head
        self.name = name
        self.clauses: list[Clause] = []

    @property
    def words(self) -> str:
        """What it says, comments and all, to compare it with others."""
        if not isinstance(self._words, str):
            self._words = "\x01".join(self._words[self.start : self.end])
        return self._words

    @property
    def is_field(self) -> bool:
        """Whether it is an annotation of a name and nothing else."""
        words = self.words.split("\x01")
        return self.head == "NAME" and words[1:2] == [":"] and "=" not in words

    def __iter__(self) -> Iterator[Item]:
        """The items of its blocks, and theirs."""
        for clause in self.clauses:
            for item in clause.items:
                yield item
                yield from item


def items_of(tokens: Tokens) -> list[Item]:
    """The items of a program.

    >>> [(item.head, item.end - item.start) for item in items_of(Tokens("x = 1\\nif a:\\n    b\\n"))]
    [('NAME', 3), ('^if', 5)]
    """
    return list(_items(tokens))


@lru_cache(maxsize=16)
def _items(tokens: Tokens) -> tuple[Item, ...]:
    return tuple(_Parser(tokens).block())


class _Parser:
    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.keys = tokens.keys
        self.at = 0

    def block(self) -> list[Item]:
        items: list[Item] = []
        while self.at < len(self.keys):
            key = self.keys[self.at]
            if key == DEDENT:
                break
            if key == NEWLINE:
                self.at += 1
            elif key == COMMENT:
                items.append(self._item(self.at, self.at + 1, key))
            else:
                items.append(self._statement())
        return items

    def _item(self, start: int, end: int, head: str, name: str = "") -> Item:
        self.at = end
        return Item(self.tokens.words, start, end, head, name)

    def _statement(self) -> Item:
        start = self.at
        end = self._decorators()
        if end == len(self.keys):
            return self._item(start, end, "^@")  # they decorate nothing: whoever parses it says so
        head = self.keys[end]
        if head in PREFIXES and end + 1 < len(self.keys):
            head = self.keys[end + 1]
        end = self._row(end)
        if end >= len(self.keys) or self.keys[end] != INDENT:
            return self._item(start, end, head)
        clauses = [self._clause(start, end)]
        while self.at < len(self.keys) and self.keys[self.at] in _CLAUSES:
            start_of_clause = self.at
            clauses.append(self._clause(start_of_clause, self._row(start_of_clause)))
        name = ""
        if head in _DEFINITIONS:
            at = self.keys.index(head, start, end)
            name = self.tokens.words[at + 1]
        item = self._item(start, self.at, head, name)
        item.clauses = clauses
        return item

    def _decorators(self) -> int:
        """The index after the decorators of a definition, and the comments among them."""
        at = self.at
        while at < len(self.keys) and self.keys[at] == "^@":
            at = self._row(at)
            while at < len(self.keys) and self.keys[at] in (NEWLINE, COMMENT):
                at += 1
        return at

    def _clause(self, start: int, end: int) -> Clause:
        clause = Clause(start, end)
        self.at = end + 1
        clause.items = self.block()
        self.at += 1  # the block end
        clause.close = self.at
        return clause

    def _row(self, at: int) -> int:
        """The index after the tokens of one line, with the comment that ends it."""
        keys, depth, first = self.keys, 0, at
        while at < len(keys):
            key = keys[at]
            if key not in _TURNS and key[0] != "^":
                pass
            elif key in OPENING:
                depth += 1
            elif key in CLOSING:
                depth -= 1
            elif not depth:
                if key == COMMENT:
                    return at + 1
                if key in LAYOUT or (at > first and begins_statement(key) and keys[at - 1] not in PREFIXES):
                    return at
            at += 1
        return at


@lru_cache(maxsize=16)
def definitions(tokens: Tokens) -> tuple[tuple[str, int, int], ...]:
    """The qualified names of all definitions, with their ranges of tokens, outer ones first.

    >>> [name for name, _, _ in definitions(Tokens("class C:\\n    def f(self): pass\\n"))]
    ['C', 'C.f']
    """
    found: list[tuple[str, int, int]] = []

    def walk(items: Sequence[Item], outer: str) -> None:
        for item in items:
            name = outer
            if item.name:
                name = f"{outer}.{item.name.removeprefix('NAME ')}".lstrip(".")
                found.append((name, item.start, item.end))
            for clause in item.clauses:
                walk(clause.items, name)

    walk(items_of(tokens), "")
    return tuple(found)


def words_of(tokens: Tokens, start: int, end: int, *, comments: bool = True) -> list[str]:
    """What some tokens say, with or without their comments."""
    if comments:
        return tokens.words[start:end]
    return [word for key, word in zip(tokens.keys[start:end], tokens.words[start:end], strict=True) if key not in COMMENTS]
