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

from collections import Counter
from collections.abc import Iterable
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

from tokenizer_ext.constrain.groups import MANY, Group, bits_of, groups_of
from tokenizer_ext.constrain.lexer import Branches, Edge, Lexer, LexerState, Path
from tokenizer_ext.constrain.utf8 import WHOLE, Rest
from tokenizer_ext.constrain.vocabulary import Spellings, Vocabulary

Endings = tuple[tuple[Path, int], ...]
_BLANKS, _NO_CODE = " \t\f", ("", "\n", "#", "\\", "\r")  # at the beginning of a line


class Leaf:
    """Ids that decide no more tokens.

    Attributes:
        bits: the ids as one number, or none.
        ids: the ids, if they are few.
        endings: what they leave can become these tokens, each list with how many more symbols that takes; see ``Lexer.resolutions``.
        rest: what their last character still needs.
    """

    __slots__ = ("bits", "endings", "ids", "rest")

    def __init__(self, endings: Endings, rest: Rest, bits: int, ids: list[int]) -> None:
        self.endings = endings
        self.rest = rest
        self.bits = bits | bits_of(ids) if bits or len(ids) >= MANY else 0
        self.ids = () if self.bits else tuple(ids)


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

    path: Path
    target: LexerState
    bits: int


class Table(NamedTuple):
    """What the ids of a vocabulary do in a lexer state."""

    tree: Tree
    links: tuple[Link, ...]


class _Left:
    """Ids that decide nothing more: those of large groups as bits, and the others."""

    __slots__ = ("bits", "few")

    def __init__(self) -> None:
        self.bits = 0
        self.few: list[int] = []


class _Growing:
    """A tree as it grows: ids by the lexer state that they lead to, ``None`` where no program has what they leave."""

    __slots__ = ("below", "edge", "ids")

    def __init__(self, edge: Edge | None = None) -> None:
        self.edge = edge
        self.ids: dict[tuple[LexerState, Rest], _Left | None] = {}
        self.below: dict[Edge, _Growing] = {}

    def finished(self, lexer: Lexer) -> Tree:
        """The tree."""
        tree = Tree()
        found: dict[tuple[Endings, Rest], _Left] = {}
        for (state, rest), left in self.ids.items():
            if left is not None:
                same = found.setdefault((lexer.resolutions(state), rest), _Left())
                same.bits |= left.bits
                same.few += left.few
        tree.leaves = [Leaf(endings, rest, left.bits, left.few) for (endings, rest), left in found.items()]
        for edge, growing in self.below.items():
            below = growing.finished(lexer)
            if below.leaves or below.branches:
                tree.branches.append((edge, below))
        return tree


class Tables:
    """The tables of a vocabulary, each made when it is first needed.

    Args:
        lexer: the lexer of the dialect.
        vocabulary: the ids.
    """

    def __init__(self, lexer: Lexer, vocabulary: Vocabulary) -> None:
        self.lexer = lexer
        self.vocabulary = vocabulary
        self._symbol_bits = {symbol: 1 << lexer.alphabet.index(one) for symbol, one in lexer.same.items()}
        self._continued: dict[Rest, tuple[Group, ...]] = {}
        self._tables: dict[tuple[LexerState, Rest, bool], Table] = {}
        self._staying: dict[LexerState, int] = {}
        self._all: dict[Tree, int] = {}

    @cached_property
    def _groups(self) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {}
        for group in groups_of(self.vocabulary.spellings, self.vocabulary.atomic, self._symbol_bits):
            if group.label:
                found.setdefault(group.label[0], []).append(group)
        return found

    @cached_property
    def _firsts(self) -> dict[str, tuple[list[Group], int]]:
        """Symbol (one for all that no pattern tells apart) -> the groups of ids that begin with such a symbol, and these ids as bits."""
        found: dict[str, list[Group]] = {}
        for symbol, groups in self._groups.items():
            found.setdefault(self.lexer.same[symbol], []).extend(groups)
        return {symbol: (groups, reduce(or_, (group.bits for group in groups))) for symbol, groups in found.items()}

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
            found = self._tables[key] = self.made(state, rest, shorn)
        return found

    def made(self, state: LexerState, rest: Rest = WHOLE, shorn: bool = False) -> Table:
        """The table of a state, which is not kept."""
        if shorn or rest.left:
            return self._shorn(state) if shorn else self._continuing(state, rest)
        return self._of_line(state) if self.lexer.begins_line(state) else self._in_code(state)

    def _in_code(self, state: LexerState) -> Table:
        lexer = self.lexer
        growing = _Growing()
        grouped: dict[tuple[Path, LexerState], int] = {}
        steps = [lexer.step(state, symbol) for symbol in self._firsts]
        usual = self._usual(state, steps)
        begun = lexer.begun(state)
        if any(at.is_start and self._usual(at, [lexer.step(at, symbol) for symbol in self._firsts]) is state for _, at in begun):
            begun = ()  # what follows a text refers to the text
        for (symbol, (groups, bits)), branches in zip(self._firsts.items(), steps, strict=True):
            if not branches:
                continue
            if usual is not state and branches == lexer.step(usual, symbol):
                grouped[(), usual] = grouped.get(((), usual), 0) | bits
            elif begun and self._decides_before(state, symbol):
                for one in begun:
                    grouped[one] = grouped.get(one, 0) | bits
            else:
                for group in groups:
                    self._add(growing, state, group, 0)
        return Table(growing.finished(lexer), tuple(Link(path, to, bits) for (path, to), bits in grouped.items()))

    @cached_property
    def _by_blanks(self) -> dict[str, int]:
        """Blanks -> the ids that begin with exactly these blanks, followed by a token."""
        found: dict[str, list[int]] = {}
        for number, symbols in self.vocabulary.spellings.symbols.items():
            code = symbols.lstrip(_BLANKS)
            if code[:1] not in _NO_CODE:
                found.setdefault(symbols[: len(symbols) - len(code)], []).append(number)
        return {blanks: bits_of(ids) for blanks, ids in found.items()}

    @cached_property
    def _without_code(self) -> tuple[Group, ...]:
        """The other ids: only blanks, or blanks followed by a comment, a line end or a backslash."""
        symbols, rests = self.vocabulary.spellings
        left = {number: one for number, one in symbols.items() if one and one.lstrip(_BLANKS)[:1] in _NO_CODE}
        return tuple(groups_of(Spellings(left, rests), self.vocabulary.atomic, self._symbol_bits))

    def _of_line(self, state: LexerState) -> Table:
        """The table of a state at the beginning of a line. What ids do after their blanks is the same at every indent."""
        growing = _Growing()
        for group in self._without_code:
            self._add(growing, state, group, 0)
        links: list[Link] = []
        for blanks, bits in self._by_blanks.items():
            at = state
            for symbol in blanks:
                ((_, at),) = self.lexer.step(at, symbol)
            links += [Link(path, to, bits) for path, to in self.lexer.begun(at)]
        return Table(growing.finished(self.lexer), tuple(links))

    def _decides_before(self, state: LexerState, symbol: str) -> bool:
        """Whether a symbol ends what has come, so that it counts for the state of what follows that."""
        lexer = self.lexer
        if lexer.same[symbol] not in lexer.relevant(state):
            return True
        after_it = {(path + more, at) for path, follows in lexer.begun(state) for more, at in lexer.step(follows, symbol)}
        return set(lexer.step(state, symbol)) == after_it

    @property
    def first_symbols(self) -> Iterable[str]:
        """The symbols that ids begin with: one for all that no pattern tells from it."""
        return self._firsts

    def beginning_with(self, symbols: Iterable[str]) -> int:
        """The ids that begin with one of some symbols, as the bits of a number."""
        bits = 0
        for symbol in symbols:
            bits |= self._firsts[symbol][1]
        return bits

    def all_of(self, tree: Tree) -> int:
        """All ids of a tree, as the bits of a number."""
        found = self._all.get(tree)
        if found is None:
            found = 0
            for leaf in tree.leaves:
                found |= leaf.bits | bits_of(leaf.ids)
            for _, below in tree.branches:
                found |= self.all_of(below)
            self._all[tree] = found
        return found

    def _usual(self, state: LexerState, steps: Iterable[Branches]) -> LexerState:
        """The state that most first symbols lead to without deciding anything; the state itself if there is none.

        Args:
            state: what has come.
            steps: where the first symbols of the ids lead.
        """
        if state.is_start and state.mode in self.lexer.code:
            return state
        counts = Counter(branches[0][1] for branches in steps if len(branches) == 1 and not branches[0][0])
        usual = counts.most_common(1)[0][0] if counts else state
        return usual if usual.mode == state.mode and not usual.is_start else state

    def _continuing(self, state: LexerState, rest: Rest) -> Table:
        growing = _Growing()
        if rest not in self._continued:
            self._continued[rest] = tuple(groups_of(self.vocabulary.continuing(rest), frozenset(), self._symbol_bits))
        for group in self._continued[rest]:
            self._add(growing, state, group, 0)
        return Table(growing.finished(self.lexer), ())

    def _shorn(self, state: LexerState) -> Table:
        growing = _Growing()
        blank = 0
        for group in self._groups.get(self.vocabulary.dummy, ()):
            if not group.is_atomic:
                blank |= group.bits
                self._add(growing, state, group, 1)
        others = bits_of(self.vocabulary.spellings.symbols) & ~blank
        return Table(growing.finished(self.lexer), (Link((), state, others),))

    def _add(self, growing: _Growing, state: LexerState, group: Group, at: int) -> None:
        """Add the ids of a group, from the symbol ``at`` of its label on."""
        step = self.lexer.step
        staying = self._staying
        todo: list[tuple[_Growing, LexerState, Group, int]] = []
        if group.is_atomic:
            for path, to in step(state, group.label[0]):
                after = None if self.lexer.in_literal(to) else self._descend(growing, path)
                if after is not None:
                    todo.append((after, to, group, 1))
        else:
            todo.append((growing, state, group, at))
        while todo:
            here: _Growing | None
            here, state, group, at = todo.pop()
            while here is not None:
                stays = staying.get(state)
                if not group.symbols & ~(self._stays(state) if stays is None else stays):
                    self._leave(here, state, group, group.size)
                    break
                if at == len(group.label):
                    self._leave(here, state, group, group.own)
                    for below in group.below:
                        todo.append((here, state, below, 0))
                    break
                symbol = group.label[at]
                branches = state.branches.get(symbol)
                if branches is None:
                    branches = step(state, symbol)
                at += 1
                if not branches:
                    break
                for path, to in branches[1:]:
                    after = self._descend(here, path)
                    if after is not None:
                        todo.append((after, to, group, at))
                path, state = branches[0]
                if path:
                    here = self._descend(here, path)

    def _leave(self, growing: _Growing, state: LexerState, group: Group, count: int) -> None:
        """Add the first ids of a group, which decide nothing more."""
        if count:
            key = state, group.rest
            if key not in growing.ids:
                growing.ids[key] = _Left() if self._goes_on(growing, state) else None
            left = growing.ids[key]
            if left is None:
                return
            if count == group.size >= MANY:
                left.bits |= group.bits
            else:
                left.few += group.first_ids(count)

    def _stays(self, state: LexerState) -> int:
        """The symbols that leave a state as it is, as bits."""
        stays = (((), state),)
        symbols = (one for one in self.lexer.alphabet if self.lexer.step(state, one) == stays)
        found = self._staying[state] = sum(map(self._symbol_bits.__getitem__, symbols))
        return found

    def _goes_on(self, growing: _Growing, state: LexerState) -> bool:
        """Whether any program has what has come after the last token that is decided."""
        edge = growing.edge
        if edge is None or state.is_start:
            return True
        followers = self.lexer.followers(edge.key, edge.mode)
        return any(not path or path[0].key in followers for path, _ in self.lexer.resolutions(state))

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
