"""Where a piece of a program stands in a file: by what it says, never by how alike it looks.

Tokens are compared, in stages: all of them; without comments; without parentheses that only group, too. A stage counts only
if the one before it has found nothing. What is found in the last one is checked by CPython: the piece and what stands at its
place must be the same tree. Exactly one place is an answer; of several, the depth of the piece may tell one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simpy_grammar.errors import PlaceError
from transpiler.edits.pieces import Piece, read_pieces
from transpiler.edits.restoration import written
from transpiler.edits.structure import Item, items_of
from transpiler.edits.tokens import COMMENT, COMMENTS, INNER_COMMENT, LAYOUT, NEWLINE, Tokens
from transpiler.proof import parse_tree, same_tree

# What may stand around a piece to make a program of it: an operand, arguments, statements, elements, a header, clauses.
_FORMS = ("({})", "f({})", "{}", "[{}]", "{}: pass", "try: pass\n{}", "if 1: pass\n{}", "try: pass\n{}: pass", "if 1: pass\n{}: pass")
_MOST_SHOWN = 10  # candidates in a message


class Place(NamedTuple):
    """Where a piece stands.

    Attributes:
        start, end: the tokens of the file.
        piece: how the piece was read.
        name: ``line 41 in C.f``.
    """

    start: int
    end: int
    piece: Piece
    name: str


class _Stage(NamedTuple):
    comments: bool
    groups: bool


_STAGES = (_Stage(True, True), _Stage(False, True), _Stage(False, False))


def find(tokens: Tokens, old: str, *, near: int | None = None, within: str | None = None, unit: str | None = None) -> Place:
    """The one place where a piece stands.

    Args:
        tokens: the file.
        old: the piece.
        near: the line on which it begins, if several places are possible.
        within: the definition in which it stands, such as ``C.f``.
        unit: what one level is indented by in the text that the piece was quoted from; by default it is indented as in the file.

    Raises:
        PlaceError: it stands nowhere, or at several places; the error lists them.
    """
    pieces = read_pieces(old)
    definitions = _definitions(tokens)
    outside = 0
    for stage in _STAGES:
        places = list(_places(tokens, pieces, stage, definitions))
        if within is not None:
            inside = [place for place in places if _is_within(tokens, place, within, definitions)]
            outside += len(places) - len(inside)
            places = inside
        if not stage.groups:
            places = [place for place in places if _says_the_same(tokens, place)]
        if len(places) > 1:
            places = _by_depth(tokens, places, unit)
        if len(places) > 1 and near is not None:
            places = [place for place in places if tokens.line(tokens.starts[place.start]) == near] or places
        if len(places) == 1:
            return _with_comment(tokens, places[0])
        if places:
            raise _ambiguous(places)
    where = f" in {within}" if within is not None else ""
    hint = f"it stands {outside} times elsewhere" if outside else "quote it as the file has it; its layout does not matter"
    raise PlaceError(f"the piece does not stand{where or ' in the file'}: {_short(old)}", hint=hint)


def _with_comment(tokens: Tokens, place: Place) -> Place:
    """A place of whole statements holds the comment at the end of its last line, too."""
    end = place.end
    if tokens.begins[place.start] and not place.piece.awaits_block and tokens.keys[end : end + 1] == [COMMENT] and not tokens.begins[end]:
        return place._replace(end=end + 1)
    return place


def _ambiguous(places: Sequence[Place]) -> PlaceError:
    names = [place.name for place in places]
    shown = ", ".join(names[:_MOST_SHOWN]) + (f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else "")
    error = PlaceError(
        f"the piece stands at {len(places)} places: {shown}", hint="quote more of what stands around it, or name the line or the definition"
    )
    error.candidates = tuple(names)
    return error


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def _said(tokens: Tokens, start: int, end: int, stage: _Stage) -> tuple[list[str], list[int]]:
    """What tokens say in a stage, and their indices. A word that begins a row says so."""
    begins = tokens.begins
    groups = set() if stage.groups else _groups(tokens)
    words: list[str] = []
    at: list[int] = []
    for i in range(start, end):
        key = tokens.keys[i]
        if key == NEWLINE or i in groups or (key in COMMENTS and not stage.comments):
            continue
        if key in COMMENTS:
            words.append(tokens.words[i])
        else:
            row = begins[i] or (bool(words) and i > start and begins[i])
            words.append(("\n" if row else "") + tokens.words[i].removeprefix("call "))
        at.append(i)
    return words, at


def _groups(tokens: Tokens) -> set[int]:
    """The parentheses that do not call."""
    return {i for pair in tokens.pairs().items() if tokens.words[pair[0]] == "(" for i in pair}


def _places(tokens: Tokens, pieces: Sequence[Piece], stage: _Stage, definitions: Sequence[tuple[str, int, int]]) -> Iterator[Place]:
    words, at = _said(tokens, 0, len(tokens), stage)
    chars: dict[str, str] = {}
    for word in words:
        if word not in chars:
            chars[word] = chr(len(chars) + 1 + (0x800 if len(chars) > 0xD000 else 0))
    text = "".join(map(chars.__getitem__, words))
    found: set[tuple[int, int]] = set()
    for piece in pieces:
        said, _ = _said(piece.tokens, piece.start, piece.end, stage)
        if not said:
            continue
        first = said[0].removeprefix("\n")
        plain = first.removeprefix("^") if len(first) > 1 else first
        for variant in dict.fromkeys((f"\n{first}", first, plain, f"\n^{plain}")):
            wanted = [variant, *said[1:]]
            if not all(word in chars for word in wanted):
                continue
            needle = "".join(chars[word] for word in wanted)
            k = text.find(needle)
            while k >= 0:
                start, end = at[k], at[k + len(wanted) - 1] + 1
                if not stage.groups:
                    start, end = _widened(tokens, start, end)
                if (start, end) not in found:
                    found.add((start, end))
                    yield Place(start, end, piece, _named(tokens, start, definitions))
                k = text.find(needle, k + 1)


def _widened(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """A range that holds both parentheses of every group, or neither."""
    for opening, close in tokens.pairs().items():
        if tokens.words[opening] == "(":
            if start <= opening < end <= close and set(tokens.keys[end : close + 1]) <= {")"}:
                end = close + 1
            elif opening < start <= close < end and set(tokens.keys[opening:start]) <= {"("}:
                start = opening
    return start, end


def _says_the_same(tokens: Tokens, place: Place) -> bool:
    """Whether the piece and what stands at its place are the same tree, if both are programs or expressions."""
    piece = place.piece
    texts = [written(tokens, place.start, place.end), written(piece.tokens, piece.start, piece.end)]
    for form in _FORMS:
        trees = []
        for text in texts:
            try:
                trees.append(parse_tree(form.format(text) + "\n"))
            except SyntaxError:
                break
        if len(trees) == 2:
            return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])
    return False


def _by_depth(tokens: Tokens, places: list[Place], unit: str | None) -> list[Place]:
    """The places whose lines are indented as the piece is, if it begins with a line; all of them if none is."""
    fitting = []
    for place in places:
        column = place.piece.column
        if column is None or not column:
            return places
        start = tokens.starts[place.start]
        line = tokens.text[tokens.line_start(start) : start]
        if line.strip(" \t\f"):
            continue
        if unit is None:
            fits = len(line) == column
        else:
            fits = _depth(tokens, place.start) * len(unit) == column
        if fits:
            fitting.append(place)
    return fitting or places


def _depth(tokens: Tokens, i: int) -> int:
    before = tokens.keys[:i]
    return before.count("INDENT") - before.count("DEDENT")


def _definitions(tokens: Tokens) -> list[tuple[str, int, int]]:
    """The qualified names of all definitions, with their ranges of tokens, outer ones first."""
    found: list[tuple[str, int, int]] = []

    def walk(items: Sequence[Item], outer: str) -> None:
        for item in items:
            name = outer
            if item.name:
                name = f"{outer}.{item.name.removeprefix('NAME ')}" if outer else item.name.removeprefix("NAME ")
                found.append((name, item.start, item.end))
            for clause in item.clauses:
                walk(clause.items, name)

    walk(items_of(tokens), "")
    return found


def _named(tokens: Tokens, start: int, definitions: Sequence[tuple[str, int, int]]) -> str:
    inside = [name for name, first, last in definitions if first <= start < last]
    return f"line {tokens.line(tokens.starts[start])}" + (f" in {inside[-1]}" if inside else "")


def _is_within(tokens: Tokens, place: Place, within: str, definitions: Sequence[tuple[str, int, int]]) -> bool:
    return any(
        (name == within or name.endswith(f".{within}")) and first <= place.start and place.end <= last for name, first, last in definitions
    )


__all__ = ["COMMENT", "INNER_COMMENT", "LAYOUT", "Place", "find"]
