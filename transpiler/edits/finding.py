"""Where a piece of a program stands in a file: by what it says, never by how alike it looks.

Tokens are compared, without comments and without parentheses that only group. Where those differ, CPython checks that the
piece and what stands at its place are the same tree. Exactly one place is an answer. Of several, what was quoted may tell one:
how deep the piece stands, and the comments and parentheses that it has; what it lacks tells nothing, since a view leaves it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from simpy_grammar.candidates import Candidate, listed
from simpy_grammar.errors import PlaceError
from transpiler.edits.pieces import Piece, read_pieces
from transpiler.edits.structure import definitions, words_of
from transpiler.edits.tokens import CLOSING, COMMENT, COMMENTS, DEDENT, INDENT, LAYOUT, NEWLINE, OPENING, Tokens
from transpiler.edits.writer import written
from transpiler.proof import parse_tree, same_tree

# What may stand around a piece to make a program of it: an operand, arguments, statements, elements, a header, clauses.
_FORMS = ("({})", "f({})", "{}", "[{}]", "{}: pass", "try: pass\n{}", "if 1: pass\n{}", "try: pass\n{}: pass", "if 1: pass\n{}: pass")
_SURROGATES = 0xD800, 0x800  # characters that cannot be
_NOT_SAID = COMMENTS | CLOSING | {NEWLINE, DEDENT, *OPENING}  # which of these tokens say something depends on others
_HEADERS = frozenset(f"^{word}" for word in "if while for with def class match async".split())


class Place(NamedTuple):
    """Where a piece stands.

    Attributes:
        start, end: the tokens of the file.
        piece: how the piece was read.
        where: what the place is called.
        closes: for each block that the piece closes without having opened it, how many the file closes there: a piece does not
            tell how many blocks end where its lines go back by more than one level.
    """

    start: int
    end: int
    piece: Piece
    where: Candidate
    closes: tuple[int, ...]


def find(tokens: Tokens, old: str, *, near: int | None = None, within: str | None = None, compact: bool = False) -> Place:
    """The one place where a piece stands.

    Args:
        tokens: the file.
        old: the piece.
        near: the line on which it begins, if several places are possible.
        within: the definition in which it stands, such as ``C.f``.
        compact: the piece may have been quoted from ``compact``, which indents by one blank per level and leaves parentheses out. By
            default it is indented as in the file. Where both name a place, and not the same, neither is chosen.

    Raises:
        PlaceError: it stands nowhere, or at several places; the error lists them.
    """
    places = find_all(tokens, old, within=within)
    several = places
    for chosen in (
        [place for place in places if tokens.line(tokens.starts[place.start]) == near],
        _by_depth(tokens, places, compact=compact),
        _spelled_alike(tokens, places, compact=compact),
    ):
        several = [place for place in several if place in chosen] or several
    if len(several) == 1:
        return several[0]
    raise ambiguous([place.where for place in several])


def find_all(tokens: Tokens, old: str, *, within: str | None = None) -> list[Place]:
    """All places where a piece stands, in order.

    Raises:
        PlaceError: it stands nowhere.
    """
    pieces = read_pieces(old)
    shorter = [piece for piece in (piece.without_last_comma() for piece in pieces) if piece is not None]
    found: list[Place] = []
    for several in (pieces, shorter):
        found = [place for place in _places(tokens, several) if _says_the_same(tokens, place) and _is_whole(tokens, place)]
        if several is shorter:  # at the end of a statement, the comma makes a tuple
            found = [place for place in found if not tokens.begins[place.start] or tokens.is_inside(place.start, place.end)]
        if found:
            break
    inside = [place for place in found if within is None or all(stands_in(tokens, i, within) for i in (place.start, place.end - 1))]
    if inside:
        longest: dict[int, Place] = {}
        for place in inside:
            if place.start not in longest or place.end > longest[place.start].end:
                longest[place.start] = place
        return [_with_comment(tokens, longest[start]) for start in sorted(longest)]
    where = f"in {within}" if within is not None else "in the file"
    if found:
        hint = f"it stands elsewhere: {listed([place.where for place in found])}"
    elif parts := _lines_with(tokens.text, old):
        hint = f"it is only a part of something longer at {listed(parts)}: quote a whole expression or whole statements"
    else:
        hint = "quote it as the file has it; its layout does not matter"
    raise PlaceError(f"the piece does not stand {where}: {_short(old)}", hint=hint)


def _lines_with(text: str, old: str) -> list[Candidate]:
    """The lines on which the characters of a piece stand, as they are."""
    wanted = old.strip()
    starts = [found.start() for found in re.finditer(re.escape(wanted), text)] if wanted else []
    return [Candidate.at(line) for line in dict.fromkeys(text.count("\n", 0, start) + 1 for start in starts)]


def _spelled_alike(tokens: Tokens, places: Sequence[Place], *, compact: bool) -> list[Place]:
    """The places that have the comments and the grouping parentheses of the piece, if it has any: they were quoted, too.

    Parentheses tell nothing in a piece of ``compact``, which leaves some of them out.
    """
    fitting = []
    for place in places:
        piece = place.piece
        said, there = (_plain(words) for words in (piece.tokens.words[piece.start : piece.end], tokens.words[place.start : place.end]))
        if compact:
            said, there = ([word for word in words if word.startswith("COMMENT ")] for words in (said, there))
        if not any(word == "(" or word.startswith("COMMENT ") for word in said):
            return []
        if said == there:
            fitting.append(place)
    return fitting


def _plain(words: Sequence[str]) -> list[str]:
    """Words without new lines, and without what only the tokens before them tell; several block ends in a row are one."""
    found: list[str] = []
    for word in words:
        if word != NEWLINE and not (word == DEDENT and found and found[-1] == DEDENT):
            found.append(word.removeprefix("call "))
    return found


def _with_comment(tokens: Tokens, place: Place) -> Place:
    """A place of whole statements holds the comment at the end of its last line, too."""
    end = place.end
    if tokens.begins[place.start] and not place.piece.awaits_block and tokens.keys[end : end + 1] == [COMMENT] and not tokens.begins[end]:
        return place._replace(end=end + 1)
    return place


def ambiguous(candidates: Sequence[Candidate]) -> PlaceError:
    """The error for a piece that stands at several places."""
    message = f"the piece stands at {len(candidates)} places: {listed(candidates)}"
    return PlaceError.among(candidates, message, hint="quote more of what stands around it, or name the line or the definition")


def candidate_at(tokens: Tokens, start: int) -> Candidate:
    """What the place of a token is called."""
    inside = [name for name, first, last in definitions(tokens) if first <= start < last]
    return Candidate.at(tokens.line(tokens.starts[start]), inside[-1] if inside else "")


def stands_in(tokens: Tokens, token: int, within: str) -> bool:
    """Whether a token stands in a definition, whose name may be qualified."""
    return any((name == within or name.endswith(f".{within}")) and first <= token < last for name, first, last in definitions(tokens))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def _said(tokens: Tokens, start: int, end: int, *, comments: bool) -> tuple[list[str], list[int]]:
    """What tokens say, and their indices: without new lines and parentheses that only group. A word that begins a row says so."""
    begins, groups, closed = tokens.begins, _groups(tokens), tokens.pairs()
    words: list[str] = []
    at: list[int] = []
    row = ""
    for i, key in enumerate(tokens.keys[start:end], start):
        if key not in _NOT_SAID:  # most tokens
            words.append(f"\n{tokens.words[i]}" if begins[i] else row + tokens.words[i])
            row = ""
        elif key in COMMENTS:
            if not comments:
                continue
            words.append(tokens.words[i])
        elif key == NEWLINE or (key == DEDENT and words and words[-1] == DEDENT):
            continue  # how many blocks end is compared afterwards
        elif tokens.words[i] == "(" and i not in groups and i not in closed:
            continue  # a piece ends inside of it
        elif start <= groups.get(i, -1) < end:
            row = "\n" if begins[i] else row  # the row begins with the next token then
            continue
        else:
            words.append(("\n" if begins[i] else row) + tokens.words[i].removeprefix("call "))
            row = ""
        at.append(i)
    return words, at


@lru_cache(maxsize=16)
def _groups(tokens: Tokens) -> dict[int, int]:
    """The parentheses that only group, or that a tuple need not have, each with the one that belongs to it."""
    pairs = [(i, j) for i, j in tokens.pairs().items() if tokens.words[i] == "(" and j > i + 1]
    return {**dict(pairs), **{j: i for i, j in pairs}}


class _Index:
    """A file as one character for each word, so that pieces can be looked up in it."""

    def __init__(self, tokens: Tokens, *, comments: bool) -> None:
        words, self.at = _said(tokens, 0, len(tokens), comments=comments)
        self.chars: dict[str, str] = {}
        for word in words:
            if word not in self.chars:
                number = len(self.chars) + 1
                self.chars[word] = chr(number if number < _SURROGATES[0] else number + _SURROGATES[1])
        self.text = "".join(map(self.chars.__getitem__, words))


@lru_cache(maxsize=16)
def _index(tokens: Tokens, comments: bool) -> _Index:
    return _Index(tokens, comments=comments)


def _places(tokens: Tokens, pieces: Sequence[Piece]) -> Iterator[Place]:
    for piece in pieces:
        only_comments = not any(key not in COMMENTS | LAYOUT for key in piece.tokens.keys[piece.start : piece.end])
        index = _index(tokens, only_comments)
        said, said_at = _said(piece.tokens, piece.start, piece.end, comments=only_comments)
        if not said:
            continue
        first = said[0].removeprefix("\n")
        plain = first.removeprefix("^") if len(first) > 1 else first
        for variant in dict.fromkeys((f"\n{first}", first, plain, f"\n^{plain}")):
            wanted = [variant, *said[1:]]
            if not all(word in index.chars for word in wanted):
                continue
            needle = "".join(index.chars[word] for word in wanted)
            k = index.text.find(needle)
            while k >= 0:
                at = index.at[k : k + len(wanted)]
                closes = _closes(tokens, at, piece, said_at)
                if closes is not None:
                    start, end = _widened(tokens, at[0], at[-1] + 1, piece)
                    start, end = _with_quoted_comments(tokens, start, end, piece, said_at)
                    yield Place(start, end, piece, candidate_at(tokens, start), closes)
                k = index.text.find(needle, k + 1)


def _with_quoted_comments(tokens: Tokens, start: int, end: int, piece: Piece, said_at: Sequence[int]) -> tuple[int, int]:
    """A range with the comments before and after it that the piece has, too."""
    for i in range(said_at[0] - 1, piece.start - 1, -1):
        before = start - 1
        while before >= 0 and tokens.keys[before] == NEWLINE:
            before -= 1
        if piece.tokens.keys[i] not in COMMENTS or before < 0 or tokens.words[before] != piece.tokens.words[i]:
            break
        start = before
    for i in range(said_at[-1] + 1, piece.end):
        if piece.tokens.keys[i] == NEWLINE:
            continue
        after = end
        while after < len(tokens) and tokens.keys[after] == NEWLINE:
            after += 1
        if piece.tokens.keys[i] not in COMMENTS or after >= len(tokens) or tokens.words[after] != piece.tokens.words[i]:
            break
        end = after + 1
    return start, end


def _closes(tokens: Tokens, at: Sequence[int], piece: Piece, said_at: Sequence[int]) -> tuple[int, ...] | None:
    """``Place.closes`` for words that are alike, ``None`` if blocks that the piece has opened end elsewhere."""
    found: list[int] = []
    depth = 0  # of the piece, above the outermost block that it has been in
    for k, i in enumerate(said_at):
        key = piece.tokens.keys[i]
        depth += key == INDENT
        if key == DEDENT:
            ours = _dedents(tokens, at[k], at[k + 1] if k + 1 < len(at) else at[k] + 1)
            theirs = _dedents(piece.tokens, i, said_at[k + 1] if k + 1 < len(said_at) else i + 1)
            if theirs <= depth:
                if ours != theirs:
                    return None
                depth -= theirs
                continue
            outer = theirs - depth
            if ours - depth < outer:
                return None
            found += [ours - depth - outer + 1, *[1] * (outer - 1)]
            depth = 0
    return tuple(found)


def _dedents(tokens: Tokens, start: int, end: int) -> int:
    return tokens.keys[start:end].count(DEDENT)


def _widened(tokens: Tokens, start: int, end: int, piece: Piece) -> tuple[int, int]:
    """A range that holds both parentheses of every group, or neither; and those around it that the piece has, too."""
    pairs = tokens.pairs()
    for opening, close in pairs.items():
        if tokens.words[opening] == "(":
            if start <= opening < end <= close and set(tokens.keys[end : close + 1]) <= {")"}:
                end = close + 1
            elif opening < start <= close < end and set(tokens.keys[opening:start]) <= {"("}:
                start = opening
    last = piece.end
    while last > piece.start and piece.tokens.words[last - 1] == "(" and tokens.words[end : end + 1] == ["("]:
        end, last = end + 1, last - 1
    at, own = piece.start, piece.tokens.pairs(piece.start, piece.end)
    while (
        own.get(at) == piece.end - 1 - (at - piece.start)
        and piece.tokens.words[at] == "("
        and start
        and tokens.keys[start - 1] == "("
        and pairs.get(start - 1) == end
    ):
        start, end, at = start - 1, end + 1, at + 1
    return start, end


def _says_the_same(tokens: Tokens, place: Place) -> bool:
    """Whether the piece and what stands at its place are the same tree, if both are programs or expressions."""
    piece = place.piece
    ours = words_of(tokens, place.start, place.end, comments=False)
    theirs = words_of(piece.tokens, piece.start, piece.end, comments=False)
    if _plain(ours) == _plain(theirs):
        return True
    texts = [written(tokens, place.start, place.end), written(piece.tokens, piece.start, piece.end)]
    for form in _FORMS if tokens.is_inside(place.start, place.end) else ("{}", *_FORMS):
        trees = []
        for text in texts:
            try:
                trees.append(parse_tree(form.format(text) + "\n"))
            except SyntaxError:
                break
        if len(trees) == 2:
            return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])
    return False


def _is_whole(tokens: Tokens, place: Place) -> bool:
    """Whether a piece that is a statement, or a header, is all of one where it stands: ``x = a`` is not in ``x = a * b``."""
    piece = place.piece
    if tokens.is_inside(place.start, place.end):
        return True
    text = written(piece.tokens, piece.start, piece.end)
    after = tokens.keys[place.end] if place.end < len(tokens) else NEWLINE
    ends = after in LAYOUT | COMMENTS or tokens.begins[place.end]
    try:
        tree = parse_tree(text + "\n")
    except SyntaxError:
        tree = None
    if tree is not None:
        body = getattr(tree, "body", [])
        return not body or (len(body) == 1 and type(body[0]).__name__ == "Expr") or (tokens.begins[place.start] and ends)
    if piece.tokens.keys[piece.start] not in _HEADERS or INDENT in piece.tokens.keys[piece.start : piece.end]:
        return True
    return after in (INDENT, *COMMENTS) or not (piece.awaits_block or _is_header(text))


def _is_header(text: str) -> bool:
    try:
        return parse_tree(f"{text}: pass\n") is not None
    except SyntaxError:
        return False


def _by_depth(tokens: Tokens, places: list[Place], *, compact: bool) -> list[Place]:
    """The places whose lines are indented as the piece is, if it begins with a line; all of them if none is.

    A piece of ``compact`` may be indented by one blank per level instead.
    """
    fitting = []
    for place in places:
        column = place.piece.column
        if column is None or not column:
            return places
        start = tokens.starts[place.start]
        line = tokens.text[tokens.line_start(start) : start]
        if line.strip(" \t\f"):
            continue
        if len(line) == column or (compact and _depth(tokens, place.start) == column):
            fitting.append(place)
    return fitting or places


def _depth(tokens: Tokens, i: int) -> int:
    before = tokens.keys[:i]
    return before.count(INDENT) - before.count(DEDENT)
