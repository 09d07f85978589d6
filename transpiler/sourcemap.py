"""Which offset of a Python text and which of a SimPy text belong together.

Names, numbers, strings and keywords come in the same order in both, so they are the anchors; an offset between two
anchors belongs to what stands between them in the other text.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from tree_sitter import Node

from simpy_grammar.dialect import Dialect
from simpy_grammar.terminals import PYTHON
from transpiler.lexemes import lexemes
from transpiler.rows import parse

if TYPE_CHECKING:
    from pathlib import Path

# Python's word for each keyword terminal, and the leaves that are anchors: those words, names, numbers and strings.
_WORDS = {
    terminal: text.split()[0] if terminal == "FUTURE_IMPORT" else text.strip()
    for terminal, text in PYTHON.items()
    if text.strip()[:1].isalpha()
}
_LEAVES = frozenset(("identifier", "integer", "float", "string_start", "true", "false", "none", "_", "print", "exec", *_WORDS.values()))
_ANCHORS = frozenset(("NAME", "NUMBER", "STRING", *(f"{raw}FSTRING_START_{quote}" for raw in ("", "RAW_") for quote in "1236"), *_WORDS))


class SourceMap(NamedTuple):
    """Pairs of offsets, in order.

    Attributes:
        python: character offsets into the Python text.
        simpy: the character offsets into the SimPy text that belong to them.
        length: characters of the anchor that starts there.
    """

    python: tuple[int, ...]
    simpy: tuple[int, ...]
    length: tuple[int, ...]

    def to_simpy(self, offset: int) -> int:
        """The SimPy offset for a Python offset."""
        return self._map(offset, self.python, self.simpy)

    def to_python(self, offset: int) -> int:
        """The Python offset for a SimPy offset."""
        return self._map(offset, self.simpy, self.python)

    def _map(self, offset: int, known: tuple[int, ...], other: tuple[int, ...]) -> int:
        i = bisect_right(known, offset) - 1
        if i < 0:
            return 0
        # Past the end of its anchor an offset belongs to what follows the anchor in the other text.
        return other[i] + min(offset - known[i], self.length[i])


def source_map(python: str, simpy: str, *, dialect: str | Path | Dialect = "classic") -> SourceMap:
    """Map a Python text and the SimPy text that it encodes to, or was decoded from, onto each other.

    Raises:
        SimPySyntaxError: the SimPy text is not a program of the dialect.

    >>> source_map("x = foo\\n", "x=foo").to_python(2)
    4
    """
    leaves = _leaves(python)
    pairs: list[tuple[int, int, int]] = []
    at = 0
    for lexeme in lexemes(simpy, dialect=dialect):
        if lexeme.terminal in _ANCHORS:
            here = at
            text = _WORDS.get(lexeme.terminal, lexeme.text)
            while here < len(leaves) and not text.startswith(leaves[here][1]):
                here += 1
            if here < len(leaves):
                pairs.append((leaves[here][0], lexeme.start, len(lexeme.text)))
                at = here + 1
    python_, simpy_, length = zip(*pairs, strict=True) if pairs else ((), (), ())
    return SourceMap(python_, simpy_, length)


def _leaves(python: str) -> list[tuple[int, str]]:
    """The anchors of a Python text: offset and text, for a string the text of its opening quotes."""
    data = python.encode("utf-8", "surrogatepass")
    found: list[tuple[int, str]] = []
    todo: list[Node] = [parse(data).root_node]
    while todo:
        node = todo.pop()
        if node.type in _LEAVES and not (node.children and node.is_named):
            found.append((node.start_byte, data[node.start_byte : node.end_byte].decode("utf-8", "replace")))
        else:
            todo.extend(reversed(node.children))
    if len(data) != len(python):
        offset_of = [0] * (len(data) + 1)
        at = 0
        for i, char in enumerate(python):
            width = len(char.encode("utf-8", "surrogatepass"))
            offset_of[at] = i
            at += width
        offset_of[at] = len(python)
        found = [(offset_of[start], text) for start, text in found]
    return found
