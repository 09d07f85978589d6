"""A piece of a program replaced in the person's file."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import EditError, PlaceError, PythonSyntaxError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.conversion import read_stream
from transpiler.edits.asked import asked_tree, read_new, replaced, says
from transpiler.edits.excerpt import excerpt
from transpiler.edits.finding import Place, find, find_all
from transpiler.edits.merging import Splice, applied
from transpiler.edits.parts import Part, part_around, whole
from transpiler.edits.pieces import Piece, read_pieces
from transpiler.edits.printer import Style, laid_out
from transpiler.edits.proving import BROKEN, check_read, check_tokens, checked_edit, proved_edit, removed_comments, tokens_of
from transpiler.edits.rows import row_end
from transpiler.edits.source_file import Edit, SourceFile
from transpiler.edits.spelled import replaced_in_spelling
from transpiler.edits.structure import items_of
from transpiler.edits.targets import all_targets, loose_target, one_target
from transpiler.edits.three_way import merge, with_unseen
from transpiler.edits.tokens import COMMENTS, NEWLINE, Tokens, indent_width

if TYPE_CHECKING:
    from pathlib import Path

_DEFINITION = re.compile(r"(?m)^(?:@.*\n)*(?:def|class|async[ \t]+def)\b")


def replace(
    source: str | bytes,
    old: str,
    new: str,
    *,
    near: int | None = None,
    within: str | None = None,
    everywhere: bool = False,
    view: str | Path | Dialect | None = None,
    path: str | None = None,
) -> Edit:
    """Replace a piece of a program, and leave every other byte of its file.

    Args:
        source: the person's file.
        old: the piece, in any layout: statements, a header, a clause, an expression, arguments, from anywhere on a line. A text
            that cannot be one, such as lines of a docstring, is found as it stands.
        new: what comes in its place; empty to delete it.
        near: the line of the file on which the piece begins, where it stands at several places.
        within: the definition in which it stands, such as ``C.f``.
        everywhere: replace it at each place where it stands.
        view: the dialect that the piece was quoted from. The indents of a layout of Python tell how deep it stands; by default it
            is indented as in the file.
        path: the file, for messages.

    Raises:
        PlaceError: the piece stands nowhere or at several places, which ``candidates`` lists; or it is not Python.
        PythonSyntaxError: the file, or what the edit would make of it, is not a program.
        RoundTripError: the proof failed, which is a bug here.

    >>> replace("if a:\\n    f(x,  # one\\n      y)\\n", "f(x, y)", "f(x, z)").text
    'if a:\\n    f(x,  # one\\n      z)\\n'
    """
    file = SourceFile(source, path)
    old, new = (text.replace("\r\n", "\n").replace("\r", "\n") for text in (old, new))
    dialect = None if view is None else Dialect.load(view)
    if dialect is None or dialect.is_python:
        edit = None if everywhere else _replace_in_excerpt(file, old, new, near, within, dialect)
        return edit or _replace(file, old, new, near, within, everywhere, dialect)
    tokens = tokens_of(file.read, path)
    seen, rewritten = replaced_in_spelling(tokens, dialect, old, new, near=near, within=within, everywhere=everywhere)
    return merge(source, rewritten, seen=seen, dialect=dialect, path=path)


def _replace_in_excerpt(file: SourceFile, old: str, new: str, near: int | None, within: str | None, dialect: Dialect | None) -> Edit | None:
    """Replace a piece in a long file of which only the statements are read in which it can stand; ``None`` if that does not do.

    Raises:
        PlaceError: it stands at several places.
    """
    text = excerpt(file.read, old)
    if text is None:
        return None
    part = SourceFile(text, file.path)
    part.style = Style(lambda: tokens_of(file.read, file.path))
    try:
        edit = _replace(part, old, new, near, within, False, dialect)
    except PlaceError as error:
        if error.candidates:
            raise
        return None
    except SimPyError:
        return None
    changes: list[Splice] = []
    starts = [list(accumulate((len(line) + 1 for line in read.split("\n")), initial=0)) for read in (text, file.read)]
    for changed in edit.ranges:
        line = bisect_right(starts[0], changed.start) - 1
        start = changed.start - starts[0][line] + starts[1][line]
        if file.read[start : start + changed.end - changed.start] != text[changed.start : changed.end]:
            return None
        changes.append(Splice(start, start + changed.end - changed.start, changed.new))
    return checked_edit(file, changes, applied(file.read, changes), edit.proved, edit.removed_comments)


def _replace(file: SourceFile, old: str, new: str, near: int | None, within: str | None, everywhere: bool, dialect: Dialect | None) -> Edit:
    """Replace a piece in a file all of which is read."""
    path = file.path
    try:
        tokens = tokens_of(file.read, path)
    except PythonSyntaxError as error:
        return _replace_in_sound_part(file, error, old, new, near, within)
    compact = dialect is not None and dialect.layout == COMPACT
    old, new = _without_common_end(old, new)
    try:
        if everywhere:
            targets = all_targets(tokens, old, new, within=within)
        else:
            exact = _exact(file, old, new) if not _is_piece(old) else None
            if exact is not None:
                return exact
            try:
                targets = [one_target(tokens, old, new, near=near, within=within, compact=compact)]
            except PlaceError as error:
                exact = None if error.candidates or within else _exact(file, old, new)  # code in a docstring
                if exact is not None:
                    return exact
                loose = None if error.candidates else loose_target(tokens, old, new, near=near, within=within, compact=compact)
                if loose is None:
                    raise
                targets = [loose]
        if len(targets) == 1:
            return _replace_at(file, tokens, *targets[0])
        text = file.read
        changes: list[Splice] = []
        removed: tuple[str, ...] = ()
        for target in reversed(targets):  # what stands before a place is as it was
            edit = _replace_at(SourceFile(text, path), tokens_of(text, path), *target)
            changes = [Splice(*changed[:3]) for changed in edit.ranges] + changes
            removed = edit.removed_comments + removed
            text = edit.text
    except EditError as error:
        if error.message.startswith(BROKEN):
            read_stream(file.read, Dialect.load(PYTHON), path)  # where it is not Python as it stands, that is what has to be said
        error.path = error.path or (path if error.line is None else None)
        raise
    if any(one.end > other.start for one, other in zip(changes, changes[1:], strict=False)) or applied(file.read, changes) != text:
        changes = [Splice(0, len(file.read), text)]  # a row that holds several places was printed anew
    return checked_edit(file, changes, text, (1, tokens.line(len(file.read)) + 1), removed)


def _without_common_end(old: str, new: str) -> tuple[str, str]:
    """Two pieces without the comments that both end with, where those belong to a block that is not part of them."""
    while _is_piece(old):
        lines, other = old.rstrip().split("\n"), new.rstrip().split("\n")
        if len(lines) < 2 or lines[-1] != other[-1] or not lines[-1].lstrip().startswith("#"):
            break
        if any(piece.tokens.keys[piece.end - 1] in COMMENTS for piece in read_pieces(old) if not piece.bracketed):
            break
        old, new = "\n".join(lines[:-1]) + "\n", "\n".join(other[:-1]) + "\n"
    return old, new


def _is_piece(text: str) -> bool:
    """Whether a text can be read as a piece of a program."""
    try:
        return bool(read_pieces(text))
    except PlaceError:
        return False


def _exact(file: SourceFile, old: str, new: str) -> Edit | None:
    """Replace whole lines that are not a piece of a program, such as those of a docstring, where exactly these stand once.

    Raises:
        EditError: the file would not be Python any more.
    """
    old, new = (text.replace("\r\n", "\n") for text in (old, new))
    if not old.strip() or file.read.count(old) != 1:
        return None
    start = file.read.index(old)
    end = start + len(old)
    whole_lines = (not start or file.read[start - 1] == "\n") and (old.endswith("\n") or file.read[end : end + 1] in ("\n", ""))
    if not whole_lines:
        return None
    text = file.read[:start] + new + file.read[end:]
    read_stream(file.read, Dialect.load(PYTHON), file.path)
    check_read(file.read, text, file.path)
    try:
        tokens = Tokens(text)
        read_stream(text, Dialect.load(PYTHON), file.path)
    except (SimPyError, LexError) as error:
        raise EditError(f"{BROKEN}: {error}", hint="nothing was written") from None
    removed = removed_comments(Tokens(file.read), tokens)
    return checked_edit(file, [Splice(start, end, new)], text, (1, file.read.count("\n") + 2), removed)


def _replace_in_sound_part(file: SourceFile, error: PythonSyntaxError, old: str, new: str, near: int | None, within: str | None) -> Edit:
    """Replace a piece in a file that is not tokens of Python as a whole: reading begins anew at each of its definitions.

    Raises:
        PythonSyntaxError: the piece does not stand in a sound definition.
    """
    starts = [match.start() for match in _DEFINITION.finditer(file.read)]
    if not starts:
        raise error
    found: list[tuple[int, SourceFile, Tokens]] = []
    for start, end in zip(starts, [*starts[1:], len(file.read)], strict=True):
        part = SourceFile(file.read[start:end], file.path)
        try:
            tokens = tokens_of(part.read, None)
            find_all(tokens, old, within=within)
        except (PythonSyntaxError, PlaceError):
            continue
        found.append((start, part, tokens))
    if len(found) != 1:
        raise error
    ((start, part, tokens),) = found
    before = file.read.count("\n", 0, start)
    edit = _replace_at(part, tokens, find(tokens, old, near=None if near is None else near - before, within=within), old, new)
    changes = [Splice(changed.start + start, changed.end + start, changed.new) for changed in edit.ranges]
    expected = file.read[:start] + edit.text + file.read[start + len(part.read) :]
    return checked_edit(file, changes, expected, (edit.proved[0] + before, edit.proved[1] + before), edit.removed_comments)


def _replace_at(file: SourceFile, tokens: Tokens, place: Place, old: str, new: str) -> Edit:
    """Replace a piece at a place."""
    if _ends_with_comma(old) and _ends_with_comma(new) and _lacks_comma(tokens, place):
        new = new.rstrip()[:-1]  # both have it, and it says nothing
    elif new.strip() and _ends_with_comma(old) and not _ends_with_comma(new):
        place = _without_separator(tokens, place)
    first = tokens.starts[place.start]
    if not tokens.is_inside(place.start, place.end) and _moves(old, new, first == tokens.line_start(first)):
        return _replace_lines(file, tokens, place, old, new)
    pieces = read_new(tokens, new, old, place)
    part = part_around(tokens, items_of(tokens), place.start, place.end)
    failed: list[SimPyError] = []
    for piece in pieces:
        for chosen in dict.fromkeys((part, whole(tokens))):
            try:
                return _replace_in(file, tokens, chosen, place, piece)
            except SimPyError as error:
                failed.append(error)
            except LexError as error:
                failed.append(EditError(f"the lines around the piece cannot be read on their own: {error}"))
    raise next((error for error in failed if isinstance(error, EditError)), failed[0])


def _moves(old: str, new: str, at_margin: bool) -> bool:
    """Whether a piece of whole lines is to stand at another depth: its first line begins at another column.

    A piece without an indent may begin inside a line, unless it stands at the margin of the file.
    """
    before, after = indent_width(old), indent_width(new)
    return bool(new.strip()) and (before > 0 or at_margin) and before != after


def _replace_lines(file: SourceFile, tokens: Tokens, place: Place, old: str, new: str) -> Edit:
    """Replace whole lines that are indented as in the file by lines that are indented as they shall be there.

    Raises:
        EditError: they are not, or the file would not be Python any more.
    """
    first = tokens.starts[place.start]
    start, end = tokens.line_start(first), tokens.line_end(row_end(tokens, place.end))
    rest = tokens.text[row_end(tokens, place.end) : end]
    if first - start != indent_width(old) or tokens.text[start:first].strip(" \t\f") or rest.strip() or _hides(tokens, place):
        raise EditError("the new piece begins at another column than the old one", hint="indent both as in the file, or both alike")
    try:
        wanted = laid_out(tokens.text[:start] + new.strip("\n") + tokens.text[end:], width=None)
    except SimPyError as error:
        raise EditError(f"{BROKEN}: {error.message}", hint="nothing was written") from None
    return proved_edit(file, tokens, whole(tokens), wanted)


def _replace_in(file: SourceFile, tokens: Tokens, part: Part, place: Place, piece: Piece | None) -> Edit:
    """Replace a piece inside a part of a file."""
    inner = tokens if part == whole(tokens) else Tokens(part.text(file.read))
    check_tokens(inner, file.path)
    before = part.tokens_before
    place = place._replace(start=place.start - before, end=place.end - before)
    wanted = _wanted(inner, place, piece)
    if _hides(inner, place):
        seen = laid_out(replaced(inner, place, place.piece), width=None)
        wanted = with_unseen(inner.text, seen, wanted, file.path)
    return proved_edit(file, tokens, part, wanted)


def _wanted(tokens: Tokens, place: Place, piece: Piece | None) -> str:
    """The program with a new piece at a place, in the canonical layout.

    Raises:
        EditError: the piece cannot stand there.
    """
    asked = asked_tree(tokens, place, piece)
    wanted = replaced(tokens, place, piece)
    if asked is not None and not says(wanted, asked):
        wanted = replaced(tokens, place, piece, parenthesised=True)
        if not says(wanted, asked):
            raise EditError("the new piece cannot stand there as it is meant", hint="quote and give the whole statement")
    try:
        return laid_out(wanted, width=None)
    except SimPyError as error:
        raise EditError(f"{BROKEN}: {error.message}", hint="nothing was written") from None


def _ends_with_comma(text: str) -> bool:
    """Whether a piece ends with a comma, and not with a comment that does."""
    return text.rstrip().endswith(",") and any(piece.tokens.keys[piece.end - 1] == "," for piece in read_pieces(text))


def _lacks_comma(tokens: Tokens, place: Place) -> bool:
    """Whether the comma that a piece ends with is not part of its place: it stands behind it, or says nothing there.

    It says something where the place may become the one element of what is a tuple now.
    """
    piece = place.piece
    if tokens.keys[place.end : place.end + 1] == [","]:
        return True
    if piece.tokens.keys[piece.end - 1] == "," or piece.tokens.keys[piece.end : piece.end + 1] != [","]:
        return False
    around = [(opening, close) for opening, close in tokens.pairs().items() if opening < place.start and place.end <= close]
    opening, close = max(around, default=(len(tokens), 0))
    inner = tokens.pairs()
    i = opening + 1
    while i < close and tokens.keys[i] != ",":
        i = inner.get(i, i) + 1
    return i >= close


def _without_separator(tokens: Tokens, place: Place) -> Place:
    """A place without the comma that it ends with, if an element follows: without a comma, ``a, *b`` would be a product."""
    shorter = place.piece.without_last_comma() if tokens.keys[place.end - 1] == "," else None
    if shorter is None or not tokens.is_inside(place.start, place.end) or tokens.keys[place.end] in (")", "]", "}"):
        return place
    return place._replace(end=place.end - 1, piece=shorter)


def _hides(tokens: Tokens, place: Place) -> bool:
    """Whether something stands at a place that the piece does not have: comments, parentheses that only group."""
    piece = place.piece
    ours, theirs = tokens.words[place.start : place.end], piece.tokens.words[piece.start : piece.end]
    said = [[word.removeprefix("call ") for word in words if word != NEWLINE] for words in (ours, theirs)]
    quoted = iter(said[1])
    return not all(word in quoted for word in said[0])
