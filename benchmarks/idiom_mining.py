"""Idioms with holes in streams of lexemes: finding them, choosing among them, and writing programs with them. ``idioms.py`` judges them.

An idiom is a sequence of fixed parts, which are what learned tokens are made of, and of holes: ``self.□1=□1;``. A hole takes any
operand (a name, a literal, a chain of attributes and calls, or a whole expression), or, written ``◇1``, one that begins with an
alias. An instance is written as one token and its holes, each once: ``<i0>x`` for ``self.x=x;``. A hole ends where what follows
cannot go on with it. Where it could, as before the minus of ``len(x)-1``, the idiom is not written; where two words would run
together, a space is. Holes stay where they were, so idioms may stand in the holes of others.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from simpy_grammar.aliases import split
from simpy_grammar.dialect import Dialect
from simpy_grammar.name_boundaries import name_parts
from simpy_grammar.speller import Speller
from simpy_grammar.terminals import BINARY, CLOSE, CONSTANT, ID, OPEN, TERMINALS, UNARY, ids
from tokenizer_ext.learning.ngrams import common_gain
from tokenizer_ext.learning.pieces import Piece, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter
from tokenizer_ext.programs import program_stream

LONGEST, MOST_HOLES = 14, 3  # parts of an idiom, and different holes
_LONGEST_HOLE = 40  # pieces in a hole
_CONTEXT = 3  # pieces before and after an instance that are counted with it
ANY_HOLE, ALIAS_HOLE = "\N{WHITE SQUARE}", "\N{WHITE DIAMOND}"
_HOLES = frozenset(f"{kind}{number}" for kind in (ANY_HOLE, ALIAS_HOLE) for number in range(1, MOST_HOLES + 1))
_FIXED, _NEW, _AGAIN = 0, 1, 2  # what a part of an idiom is: a fixed part, a hole, or a hole that it has had before
ANY = "<i0>"  # the token of an idiom that has none yet
END = "\0"  # the end of a hole, until it is known what follows
_STAND_IN = "Qzv"  # for the middle of a long hole, which is the same in both ways of writing
_WORD = re.compile(r"[\w\"']")
_STRING = re.compile(r"[A-Za-z]{0,2}[\"']")
_QUOTES = ("'", '"')
Span = tuple[int, int]
Idiom = tuple[str, ...]


def _ids(*names: str) -> frozenset[int]:
    return frozenset(ID[name] for name in names)


_NAME, _DOT, _IF, _ELSE = (ID[name] for name in ("NAME", "DOT", "IF", "ELSE"))
_ATOMS = (ids(CONSTANT) - _ids("EMPTY_PARAMETERS")) | _ids("NAME", "NUMBER", "STRING")
_F_STARTS = frozenset(row.id for row in TERMINALS if "FSTRING_START" in row.name)
_F_ENDS = frozenset(row.id for row in TERMINALS if "FSTRING_END" in row.name)
_OPENING = (ids(OPEN) - _ids("PARAMETERS_START")) | _F_STARTS
_OTHER_OPENING = _ids("PARAMETERS_START", "FIELD_START")  # which close as brackets do, and open no operand
_TRAILERS = _ids("(", "[")
_PREFIXES = (ids(UNARY) - _ids("PARAMETER_STAR", "SPLAT", "DOUBLE_SPLAT")) | _ids("AWAIT")
_INNER = _ATOMS | _OPENING | _PREFIXES | ids(BINARY) | _ids("DOT", "NUMBER_DOT", "IF", "ELSE", "CONCAT")
_OPERAND_ENDS = _ATOMS | ids(CLOSE) | _F_ENDS
_SIGNS = _ids("NEGATE", "POSITIVE", "SPLAT", "DOUBLE_SPLAT", "NOT", "DOT", "NUMBER_DOT", "IF", "COMPREHENSION_IF", "GUARD")
_GOES_ON = ids(BINARY) | _TRAILERS | _SIGNS


class Program:
    """A program in pieces, with what mining has to know of each.

    Attributes:
        pieces: those of ``simpy_splitter``.
        keys: their texts, where a name that is being bound to an alias has that of the alias.
        fixed: whether each may be a fixed part.
        begins: whether a lexeme begins with each.
        goes_on: whether each could go on with an expression that ends before it.
        ends: a piece that an operand begins with -> where it may end, in pieces.
    """

    def __init__(self, dialect: Dialect, source: str, words: frozenset[str]) -> None:
        stream = program_stream(source)
        terminals = stream.terminals
        self.pieces: list[Piece] = simpy_splitter(dialect)(source)
        self.texts = [text for _, text in self.pieces]
        self.fixed = [class_ in ("grammar", "punctuation") or (class_ == "word" and text in words) for class_, text in self.pieces]
        self.keys = list(self.texts)
        at: list[int] = []
        going_on = {
            text for terminal in _GOES_ON for text in dialect.spellings.get(TERMINALS[terminal].name, (TERMINALS[terminal].python,))
        }
        self.goes_on = [False] * (len(self.pieces) + 1)
        self.begins = [False] * len(self.pieces) + [True]
        place = 0
        for terminal, text in zip(terminals, Speller(dialect).spell_all(stream), strict=True):
            at.append(place)
            self.goes_on[place] = text in going_on
            self.begins[place] = True
            if terminal == _NAME:
                name, alias = split(text)
                parts = name_parts(name if alias else text)
                for i in range(place, place + len(parts) * bool(alias)):
                    self.keys[i] = ""
                place += len(parts) + bool(alias)
            else:
                place += len(name_parts(text)) if terminal == ID["NUMBER"] else bool(text)
        if place != len(self.pieces):
            raise RuntimeError("the pieces are not those of the lexemes")
        at.append(place)
        self.ends = {at[i]: tuple(dict.fromkeys(at[end] for end in found)) for i, found in _operands(terminals)}

    def key(self, start: int, end: int) -> str:
        """What two holes must agree in to be one."""
        return "".join(self.keys[start:end])


def _operands(terminals: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Where operands begin, and where each may end, shortest first."""
    match: dict[int, int] = {}
    opened: list[int] = []
    for i, terminal in enumerate(terminals):
        if terminal in _OPENING or terminal in _OTHER_OPENING:
            opened.append(i)
        elif (terminal in _F_ENDS or TERMINALS[terminal].role == CLOSE) and opened:
            match[opened.pop()] = i
    for i, terminal in enumerate(terminals):
        if terminal in _TRAILERS and i and terminals[i - 1] in _OPERAND_ENDS:
            continue
        end = i + 1 if terminal in _ATOMS or terminal in _PREFIXES else match[i] + 1 if terminal in _OPENING and i in match else 0
        if not end:
            continue
        ends = [] if terminal in _PREFIXES else [end]
        while ends and end < len(terminals):
            if terminals[end] == _DOT and terminals[end + 1] == _NAME:
                end += 2
            elif terminals[end] in _TRAILERS and end in match:
                end = match[end] + 1
            else:
                break
            ends.append(end)
        conditions = 0
        while end < len(terminals) and terminals[end] in _INNER:
            conditions += (terminals[end] == _IF) - (terminals[end] == _ELSE)
            if conditions < 0:
                break
            end = match.get(end, end) + 1
        yield i, [*ends[:4], *ends[4:][-1:], end]


class Instance(NamedTuple):
    """A place in a program that an idiom can stand for.

    Attributes:
        start: its first piece.
        end: the piece after it.
        idiom: the idiom.
        holes: where its holes are, each once.
    """

    start: int
    end: int
    idiom: Idiom
    holes: tuple[Span, ...]


def _steps(program: Program, at: int, keys: tuple[str, ...], after_hole: bool) -> Iterator[tuple[str, int, int]]:
    """The parts that may come next, where each ends, and what it is.

    ``keys`` are those of the holes so far, each after the kind of its hole.
    """
    if at >= len(program.pieces):
        return
    if program.fixed[at]:
        yield program.texts[at], at + 1, _FIXED
    if after_hole:
        return
    for end in program.ends.get(at, ()):
        if not 0 < end - at <= _LONGEST_HOLE:
            continue
        key = program.key(at, end)
        again = [f"{known[0]}{number}" for number, known in enumerate(keys, 1) if known[1:] == key]
        if again:
            yield again[0], end, _AGAIN
        elif len(keys) < MOST_HOLES:
            yield f"{ANY_HOLE}{len(keys) + 1}", end, _NEW
            if program.texts[at].startswith("<n") and program.begins[at]:
                yield f"{ALIAS_HOLE}{len(keys) + 1}", end, _NEW


def _grown(program: Program, keys: tuple[str, ...], part: str, span: Span, what: int) -> tuple[str, ...]:
    """The keys with that of a part, if it is a new hole."""
    return (*keys, part[0] + program.key(*span)) if what == _NEW else keys


def is_whole(idiom: Idiom) -> bool:
    """Whether an idiom has a hole and does not end with one that it has not had before.

    >>> is_whole(("self.", "□1", "=", "□1")), is_whole(("self.", "□1"))
    (True, False)
    """
    return any(part in _HOLES for part in idiom) and not (idiom[-1] in _HOLES and idiom.index(idiom[-1]) == len(idiom) - 1)


def frequent_idioms(programs: Sequence[tuple[Program, int]], least: int) -> dict[Idiom, int]:
    """The idioms that come often, with how often, outside the quarter of the groups of packages that like them most."""
    groups = max(group for _, group in programs) + 1
    found: dict[Idiom, int] = {}
    front: list[tuple[Idiom, int, int, tuple[str, ...], bool]] = [
        ((), number, start, (), True)
        for number, (program, _) in enumerate(programs)
        for start in range(len(program.pieces))
        if program.begins[start]
    ]
    names: dict[tuple[Idiom, str], Idiom] = {}
    for _ in range(LONGEST):
        counts: defaultdict[tuple[Idiom, str], dict[int, int]] = defaultdict(dict)
        grown: list[tuple[tuple[Idiom, str], int, int, tuple[str, ...], bool]] = []
        for idiom, number, at, keys, after_hole in front:
            program, group = programs[number]
            for part, end, what in _steps(program, at, keys, after_hole):
                by_group = counts[idiom, part]
                by_group[group] = by_group.get(group, 0) + 1
                grown.append(((idiom, part), number, end, _grown(program, keys, part, (at, end), what), what != _FIXED))
        names = {}
        for key, by_group in counts.items():
            count = common_gain(by_group, groups)
            if count >= least:
                names[key] = (*key[0], key[1])
                if is_whole(names[key]):
                    found[names[key]] = count
        front = [(names[key], number, at, keys, is_hole) for key, number, at, keys, is_hole in grown if key in names]
    return found


Trie = dict[str, "Trie | Idiom"]


def trie_of(idioms: Iterable[Idiom]) -> Trie:
    """Idioms by their parts; the empty part leads to the idiom that ends there."""
    root: Trie = {}
    for idiom in idioms:
        node = root
        for part in idiom:
            node = node.setdefault(part, {})  # type: ignore[assignment]  # only the empty part leads to an idiom
        node[""] = idiom
    return root


def instances(program: Program, trie: Trie) -> Iterator[Instance]:
    """All places of a program where idioms of a trie can stand."""
    for start, text in enumerate(program.texts):
        first = trie.get(text) if program.fixed[start] and program.begins[start] else None
        stack: list[tuple[Trie, int, tuple[str, ...], tuple[Span, ...], bool]] = [(first, start + 1, (), (), False)] if first else []  # type: ignore[list-item]  # as above
        while stack:
            node, at, keys, holes, after_hole = stack.pop()
            idiom = node.get("")
            found = Instance(start, at, idiom, holes) if idiom else None  # type: ignore[arg-type]  # the empty part leads to an idiom
            if found and program.begins[at] and _ends_itself(program, found):
                yield found
            for part, end, what in _steps(program, at, keys, after_hole):
                below = node.get(part)
                if below:
                    more = (*holes, (at, end)) if what == _NEW else holes
                    stack.append((below, end, _grown(program, keys, part, (at, end), what), more, what != _FIXED))  # type: ignore[arg-type]  # as above


def _followed(instance: Instance) -> Iterator[tuple[int, int]]:
    """The end of each hole, and what follows it when the instance is written."""
    for (_, end), (following, _) in zip(instance.holes, (*instance.holes[1:], (instance.end, 0)), strict=bool(instance.holes)):
        yield end, following


def _ends_itself(program: Program, instance: Instance) -> bool:
    """Whether a reader would know where each hole ends."""
    for end, following in _followed(instance):
        after = program.texts[following] if following < len(program.texts) else ""
        strings = program.texts[end - 1][-1:] in _QUOTES and _STRING.match(after)
        if program.goes_on[following] or strings:
            return False
    return True


def apart(texts: Iterable[str], idioms: Container[str]) -> Iterator[str]:
    """Texts with what must keep them apart in place of ``END``: a space between words, a comma between strings, or nothing."""
    before, is_end = "", False
    for text in texts:
        if text == END:
            is_end = True
            continue
        if is_end and before[-1:] in _QUOTES and _STRING.match(text):
            yield ","
        elif is_end and _WORD.match(before[-1:]) and (_WORD.match(text) or text.startswith("<n")) and text not in idioms:
            yield " "
        yield text
        before, is_end = text, False


def written(instance: Instance, token: str, shown: Callable[[Span], list[str]]) -> list[str]:
    """The texts of an instance: its token and its holes, with ``END`` after each."""
    texts = [token]
    for hole in instance.holes:
        texts += (*shown(hole), END)
    return texts


class Savings:
    """What instances save, with some learned tokens in place; remembered by what is written there."""

    def __init__(self, segmenter: PassageSegmenter, tokens: dict[Idiom, str]) -> None:
        self.segmenter = segmenter
        self.tokens = tokens
        self.known: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}

    def of(self, program: Program, found: Sequence[Instance]) -> list[int]:
        """What each of some instances saves."""
        pairs = [self._pair(program, instance) for instance in found]
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self.known))
        costs = self.segmenter.costs_of([text for pair in new for text in pair])
        for pair, before, after in zip(new, costs[::2], costs[1::2], strict=True):
            self.known[pair] = before - after
        return [self.known[pair] for pair in pairs]

    def _pair(self, program: Program, instance: Instance) -> tuple[tuple[str, ...], tuple[str, ...]]:
        texts = program.texts

        def shown(span: Span) -> list[str]:
            start, end = span
            return texts[start:end] if end - start < 6 else [*texts[start : start + 2], _STAND_IN, *texts[end - 2 : end]]

        before = ["", *texts[max(instance.start - _CONTEXT, 0) : instance.start]]
        after = [*texts[instance.end : instance.end + _CONTEXT], ""]
        whole: list[str] = []
        at = instance.start
        for hole in instance.holes:
            whole += texts[at : hole[0]] + shown(hole)
            at = hole[1]
        whole += texts[at : instance.end]
        short = written(instance, self.tokens.get(instance.idiom, ANY), shown)
        return (*before, *whole, *after), ("", *apart((*before[1:], *short, *after[:-1]), ()), "")


def agree(one: Instance, other: Instance) -> bool:
    """Whether both can be written: they are apart, or one is in a hole of the other."""
    if one.end <= other.start or other.end <= one.start:
        return True
    return any(start <= other.start and other.end <= end for start, end in one.holes) or any(
        start <= one.start and one.end <= end for start, end in other.holes
    )


class Places:
    """The instances that are written in one program."""

    def __init__(self) -> None:
        self.saved: dict[Instance, int] = {}
        self._at: defaultdict[int, list[Instance]] = defaultdict(list)

    def against(self, instance: Instance) -> set[Instance]:
        """The instances that cannot be written together with another."""
        near = {other for at in range(instance.start, instance.end) for other in self._at.get(at, ())}
        return {other for other in near if not agree(instance, other)}

    def put(self, instance: Instance, saved: int) -> None:
        """Write an instance."""
        self.saved[instance] = saved
        for at in range(instance.start, instance.end):
            self._at[at].append(instance)

    def take_back(self, instance: Instance) -> None:
        """Write an instance out again."""
        del self.saved[instance]
        for at in range(instance.start, instance.end):
            self._at[at].remove(instance)


def best_places(found: Iterable[tuple[Instance, int]], worth: dict[Idiom, float] | None = None) -> Places:
    """Instances that agree with each other, and what each saves.

    First goes the idiom that is worth most; without ``worth``, the instance that saves most.
    """
    places = Places()
    ranked = [(worth.get(one.idiom, 0.0) if worth is not None else saved, one, saved) for one, saved in found]
    for value, instance, saved in sorted(ranked, key=lambda item: (-item[0], item[1].start, -item[1].end, item[1].idiom)):
        if value > 0 and not places.against(instance):
            places.put(instance, saved)
    return places


def rewritten(program: Program, places: Places, tokens: dict[Idiom, str]) -> list[Piece]:
    """The pieces of a program with idioms."""
    return _pieces_apart(with_ends(program, places, tokens), frozenset(tokens.values()))


def with_ends(program: Program, places: Places, tokens: dict[Idiom, str]) -> list[Piece]:
    """The pieces of a program with idioms, and ``END`` after each hole."""
    starting = {(instance.start, instance.end): instance for instance in places.saved}
    starts: defaultdict[int, list[Instance]] = defaultdict(list)
    for instance in starting.values():
        starts[instance.start].append(instance)

    def piece_range(span: Span) -> list[Piece]:
        out: list[Piece] = []
        at, end = span
        while at < end:
            here = [instance for instance in starts.get(at, ()) if instance.end <= end]
            if not here:
                out.append(program.pieces[at])
                at += 1
                continue
            instance = max(here, key=lambda instance: instance.end)
            held: dict[str, list[Piece]] = {}

            def shown(hole: Span) -> list[str]:
                name = f"{END}{len(held)}"  # noqa: B023  # called at once
                held[name] = piece_range(hole)  # noqa: B023  # as above
                return [name]

            for text in written(instance, tokens[instance.idiom], shown):
                out += held.get(text) or [("grammar", text)]
            at = instance.end
        return out

    return piece_range((0, len(program.pieces)))


def _pieces_apart(pieces: Sequence[Piece], idioms: frozenset[str]) -> list[Piece]:
    """Pieces with what must keep them apart in place of ``END``."""
    found: list[Piece] = []
    own = iter([piece for piece in pieces if piece[1] != END])
    following = next(own, None)
    for text in apart((text for _, text in pieces), idioms):
        if following and following[1] == text:
            found.append(following)
            following = next(own, None)
        else:
            found.append(("punctuation", text))
    return found


def choose_idioms(programs: Sequence[tuple[Program, int]], found: Sequence[Sequence[tuple[Instance, int]]], most: int) -> list[Idiom]:
    """The idioms that save most together, the best first; ``found`` has the instances of each program with what each saves."""
    groups = max(group for _, group in programs) + 1
    by_idiom: defaultdict[Idiom, list[tuple[int, Instance, int]]] = defaultdict(list)
    for number, some in enumerate(found):
        for instance, saved in some:
            by_idiom[instance.idiom].append((number, instance, saved))
    worth = {idiom: sum(saved for _, _, saved in some) / len(some) for idiom, some in by_idiom.items()}
    places = [Places() for _ in programs]

    def changes(idiom: Idiom) -> Iterator[tuple[int, Instance, int, set[Instance]]]:
        """Where an idiom would be written, what it saves there, and the instances that it would take the places of."""
        for number, instance, saved in by_idiom[idiom]:
            against = places[number].against(instance)
            if all(worth[other.idiom] < worth[idiom] for other in against):
                yield number, instance, saved, against

    def gain(idiom: Idiom) -> int:
        gains: Counter[int] = Counter()
        for number, _, saved, against in changes(idiom):
            gains[programs[number][1]] += saved - sum(places[number].saved[other] for other in against)
        return common_gain(gains, groups)

    heap = [(-sum(saved for _, _, saved in some), idiom, -1) for idiom, some in by_idiom.items()]
    heapq.heapify(heap)
    chosen: list[Idiom] = []
    while heap and len(chosen) < most:
        _, idiom, version = heapq.heappop(heap)
        if version < len(chosen):
            gained = gain(idiom)
            if gained > 1:
                heapq.heappush(heap, (-gained, idiom, len(chosen)))
            continue
        for number, instance, saved, _ in list(changes(idiom)):
            against = places[number].against(instance)
            if all(worth[other.idiom] < worth[idiom] for other in against):  # not one of its own, which the list does not know yet
                for other in against:
                    places[number].take_back(other)
                places[number].put(instance, saved)
        chosen.append(idiom)
    return chosen


def parts_apart(idiom: Idiom) -> tuple[list[list[str]], int]:
    """The stretches of fixed parts, and how many holes come again.

    >>> parts_apart(("self.", "□1", "=", "□1", ";"))
    ([['self.'], ['='], [';']], 1)
    """
    stretches: list[list[str]] = [[]]
    holes: list[str] = []
    for part in idiom:
        if part in _HOLES:
            holes.append(part)
            stretches.append([])
        else:
            stretches[-1].append(part)
    return [stretch for stretch in stretches if stretch], len(holes) - len(set(holes))
