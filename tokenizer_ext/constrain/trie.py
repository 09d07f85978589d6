"""A trie, which ``tokenizer_ext.constrain.tries`` makes and describes: the parts that it is made of."""

from __future__ import annotations

from tokenizer_ext.constrain.lexer import Edge


class Ids:
    """A set of ids: as the bits of a number if they are many, and those that are few. Equal sets are the same object."""

    __slots__ = ("bits", "few")

    def __init__(self, bits: int, few: tuple[int, ...]) -> None:
        self.bits = bits
        self.few = few


class Branch:
    """A token that must be taken, and what comes after it. Equal branches are the same object."""

    __slots__ = ("below", "edge", "is_plain", "key")

    def __init__(self, edge: Edge, below: Trie) -> None:
        self.edge = edge
        self.key = edge.key
        self.below = below
        self.is_plain = edge.refused is None


class Trie:
    """What ids do from some place on. Equal tries are the same object.

    Attributes:
        ids: the ids that ask for nothing more.
        branches: the tokens that others ask for.
        is_laid: whether a token in it is an indent, so that the indents of the open blocks matter.
        every: all ids, those below branches too; set by ``Tries`` where it is needed.
    """

    __slots__ = ("branches", "every", "ids", "is_laid")

    def __init__(self, ids: Ids, branches: tuple[Branch, ...]) -> None:
        self.ids = ids
        self.branches = branches
        self.is_laid: bool = any(branch.edge.layout is not None or branch.below.is_laid for branch in branches)
        self.every: Ids | None = None
