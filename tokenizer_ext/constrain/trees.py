"""For a lexer state, what each id of a vocabulary makes of it: a tree over the tokens of the grammar that it decides.

For the state "a name is under way" in the dialect classic, with the vocabulary `b`, `(`, `()`, ` b`, `=(`:

    (nothing)    -> `b`, a name is under way
    NAME         -> as at the start of a token: `(` opens, ` ` separates, ...
      (          -> `(`
        )        -> `()`
      " "        -> ` b`, a name is under way
      =          -> (nothing decided) ...
        (        -> `=(`

Few states need a tree of their own. Where a symbol ends a lexeme, the ids that begin with it do what they do at the start of a token;
where it leads to the state that nearly all symbols lead to, they do what they do there. So a state has a tree for some first symbols,
and says for the others whose tree counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tokenizer_ext.constrain.lexer import Edge, Lexer, LexerState, Path
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Spelling, Vocabulary

_Entry = tuple[Spelling, bool, list[int]]  # ids of one spelling, and whether they are atomic
Endings = tuple[tuple[Path, int], ...]
_MANY = 128  # ids from which on a group is kept as bits


class Then:
    """What is done after a token: some more tokens, then ids are right (``Leaf``), or do what they do in another lexer state."""

    __slots__ = ("path", "rest", "target")

    def __init__(self, path: Path, target: Leaf | LexerState) -> None:
        self.path = path
        self.target = target
        self.rest: Then | None = Then(path[1:], target) if path else None


class Leaf:
    """Ids that decide no more tokens.

    Attributes:
        bits: the ids as one number, or none.
        ids: the ids, if they are few.
        endings: what they leave can become these tokens, each list with how many more symbols that takes; see ``Lexer.resolutions``.
        rest: what their last character still needs.
        takes: the first token of each ending, and what comes after it; empty where nothing has come since the last token.
    """

    __slots__ = ("bits", "endings", "ids", "rest", "takes")

    def __init__(self, endings: Endings, rest: Rest, ids: list[int]) -> None:
        self.endings = endings
        self.rest = rest
        self.bits = bits_of(ids) if len(ids) >= _MANY else 0
        self.ids = () if self.bits else tuple(ids)
        self.takes = tuple((path[0], Then(path[1:], self)) for path, _ in endings if path)


class Tree:
    """What ids do from some place on.

    Attributes:
        leaves: the ids that decide nothing more.
        branches: the next token that ids decide, and what they do after it.
    """

    __slots__ = ("branches", "leaves")

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.branches: list[tuple[Edge, Tree]] = []


class Link(NamedTuple):
    """Ids that do what they do in another state, after some tokens."""

    then: Then
    bits: int


class Table(NamedTuple):
    """What the ids of a vocabulary do in a lexer state."""

    tree: Tree
    links: tuple[Link, ...]


class _Growing:
    __slots__ = ("below", "edge", "ids")

    def __init__(self, edge: Edge | None = None) -> None:
        self.edge = edge
        self.ids: dict[tuple[Endings, Rest], list[int]] = {}
        self.below: dict[Edge, _Growing] = {}

    def finished(self) -> Tree:
        tree = Tree()
        tree.leaves = [Leaf(endings, rest, ids) for (endings, rest), ids in self.ids.items()]
        branches = ((edge, growing.finished()) for edge, growing in self.below.items())
        tree.branches = [(edge, below) for edge, below in branches if below.leaves or below.branches]
        return tree


def bits_of(ids: Iterable[int]) -> int:
    """Ids as the bits of a number."""
    top = max(ids, default=-1)
    packed = bytearray((top >> 3) + 1)
    for number in ids:
        packed[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(packed, "little")


class Tables:
    """The tables of a vocabulary, each made when it is first needed.

    Args:
        lexer: the lexer of the dialect.
        vocabulary: the ids.
    """

    def __init__(self, lexer: Lexer, vocabulary: Vocabulary) -> None:
        self.lexer = lexer
        self.vocabulary = vocabulary
        texts: dict[tuple[Spelling, bool], list[int]] = {}
        for number, spelling in vocabulary.spellings.items():
            if spelling.symbols:
                texts.setdefault((spelling, number in vocabulary.atomic), []).append(number)
        self._by_first: dict[str, list[_Entry]] = {}
        for (spelling, atomic), ids in texts.items():
            self._by_first.setdefault(spelling.symbols[0], []).append((spelling, atomic, ids))
        self._first_bits = {symbol: bits_of([i for _, _, ids in group for i in ids]) for symbol, group in self._by_first.items()}
        self._atomic_bits = bits_of(vocabulary.atomic)
        self._tables: dict[tuple[LexerState, Rest, bool], Table] = {}
        self._runs: dict[LexerState, re.Pattern[str]] = {}

    def table(self, state: LexerState, rest: Rest = WHOLE, shorn: bool = False) -> Table:
        """The table of a state.

        Args:
            state: what has come.
            rest: what the last character still needs.
            shorn: ids lose a blank that they begin with.
        """
        key = state, rest, shorn
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = self._shorn(state) if shorn else self._continuing(state, rest) if rest.left else self._of(state)
        return found

    def _of(self, state: LexerState) -> Table:
        lexer = self.lexer
        own: list[str] = []
        grouped: dict[tuple[Path, LexerState], list[str]] = {}
        usual = self._usual(state)
        begun = lexer.begun(state)
        for symbol in self._by_first:
            branches = lexer.step(state, symbol)
            if not branches:
                continue
            if usual is not state and branches == lexer.step(usual, symbol):
                grouped.setdefault(((), usual), []).append(symbol)
            elif begun and self._decides_before(state, symbol):
                for path, after_it in begun:
                    grouped.setdefault((path, after_it), []).append(symbol)
            else:
                own.append(symbol)
        root = _Growing()
        for symbol in own:
            group = self._by_first[symbol]
            if lexer.step(state, symbol) == (((), state),):
                group = self._add_staying(root, state, group)
            for spelling, atomic, ids in group:
                self._add(root, state, spelling, ids, atomic)
        links = tuple(Link(Then(path, to), self._bits(symbols)) for (path, to), symbols in grouped.items())
        return Table(root.finished(), links)

    def _decides_before(self, state: LexerState, symbol: str) -> bool:
        """Whether a symbol ends what has come, so that it counts for the state of what follows that."""
        lexer = self.lexer
        if lexer.same[symbol] not in lexer.relevant(state):
            return True
        after_it = {(path + more, at) for path, follows in lexer.begun(state) for more, at in lexer.step(follows, symbol)}
        return set(lexer.step(state, symbol)) == after_it

    def _bits(self, symbols: Iterable[str]) -> int:
        bits = 0
        for symbol in symbols:
            bits |= self._first_bits[symbol]
        return bits

    def _usual(self, state: LexerState) -> LexerState:
        """The state that most symbols lead to without deciding anything; the state itself if there is none."""
        counts = Counter(
            branches[0][1] for symbol in self._by_first if len(branches := self.lexer.step(state, symbol)) == 1 and not branches[0][0]
        )
        if state.is_start or not counts:
            return state
        usual = counts.most_common(1)[0][0]
        return usual if usual.mode == state.mode and not usual.is_start else state

    def _continuing(self, state: LexerState, rest: Rest) -> Table:
        root = _Growing()
        for number, spelling in self.vocabulary.continuing(rest):
            self._add(root, state, spelling, [number])
        return Table(root.finished(), ())

    def _shorn(self, state: LexerState) -> Table:
        root = _Growing()
        dummy = self.vocabulary.dummy
        blank = 0
        for spelling, _, ids in self._by_first.get(dummy, ()):
            kept = [number for number in ids if number not in self.vocabulary.own]
            blank |= bits_of(kept)
            self._add(root, state, Spelling(spelling.symbols[1:], spelling.rest), kept)
        others = bits_of(self.vocabulary.spellings) & ~blank
        return Table(root.finished(), (Link(Then((), state), others),))

    def _add_staying(self, root: _Growing, state: LexerState, group: list[_Entry]) -> list[_Entry]:
        """Add the ids of a group that leave a state as it is; return the others."""
        stays = self._run(state).fullmatch
        others: list[_Entry] = []
        ids_of, endings = root.ids, self.lexer.resolutions(state)
        literal = self.lexer.in_literal(state)
        for entry in group:
            spelling, atomic, ids = entry
            if atomic and literal:
                continue
            if stays(spelling[0]):
                key = endings, spelling[1]
                if key in ids_of:
                    ids_of[key] += ids
                else:
                    ids_of[key] = ids.copy()
            else:
                others.append(entry)
        return others

    def _run(self, state: LexerState) -> re.Pattern[str]:
        """A pattern of the symbols that leave a state as it is."""
        if state not in self._runs:
            staying = (((), state),)
            same = "".join(re.escape(symbol) for symbol in self.lexer.same if self.lexer.step(state, symbol) == staying)
            self._runs[state] = re.compile(f"[{same}]*" if same else "")
        return self._runs[state]

    def _add(self, root: _Growing, state: LexerState, spelling: Spelling, ids: list[int], atomic: bool = False) -> None:
        symbols = spelling.symbols
        todo: list[tuple[_Growing | None, LexerState, int]] = [(root, state, 0)]
        while todo:
            growing, state, at = todo.pop()
            while growing is not None:
                if at == len(symbols):
                    if not self._goes_on(growing, state):
                        break
                    growing.ids.setdefault((self.lexer.resolutions(state), spelling.rest), []).extend(ids)
                    break
                branches = self.lexer.step(state, symbols[at])
                at += 1
                if atomic and at == 1:
                    branches = tuple(branch for branch in branches if not self.lexer.in_literal(branch[1]))
                if not branches:
                    break
                if branches[0] == ((), state):
                    at = self._run(state).match(symbols, at).end()  # type: ignore[union-attr]  # it matches everywhere
                    continue
                for path, to in branches[1:]:
                    todo.append((self._descend(growing, path), to, at))
                growing, state = self._descend(growing, branches[0][0]), branches[0][1]

    def _goes_on(self, growing: _Growing, state: LexerState) -> bool:
        """Whether any program has what has come after the last token that is decided."""
        edge = growing.edge
        if edge is None or state.is_start:
            return True
        followers = self.lexer.followers(edge.key, edge.mode)
        return any(path[0].key in followers for path, _ in self.lexer.resolutions(state))

    def _descend(self, growing: _Growing, path: Path) -> _Growing | None:
        """The place after some more tokens; ``None`` if no program has them in this order."""
        for edge in path:
            below = growing.below.get(edge)
            if below is None:
                if growing.edge is not None and edge.key not in self.lexer.followers(growing.edge.key, growing.edge.mode):
                    return None
                below = growing.below[edge] = _Growing(edge)
            growing = below
        return growing
