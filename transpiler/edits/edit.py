"""An edit: the new text of a file, what changes in it, and the proof that nothing else does."""

from __future__ import annotations

import codecs
import difflib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PlaceError, PythonSyntaxError, RoundTripError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.conversion import convert, read_stream
from transpiler.edits.finding import Place, find, find_all
from transpiler.edits.merging import Splice, applied, splices
from transpiler.edits.parts import Part, changed_parts, part_around, whole
from transpiler.edits.pieces import Piece, read_pieces
from transpiler.edits.printer import file_style, laid_out
from transpiler.edits.replacing import asked_tree, read_new, replaced, says
from transpiler.edits.restoration import restored, twice_defined
from transpiler.edits.rows import row_end
from transpiler.edits.spelled import replaced_in_spelling
from transpiler.edits.structure import items_of
from transpiler.edits.tokens import COMMENTS, NEWLINE, Tokens
from transpiler.proof import parse_tree, prove, same_tree
from transpiler.source import detect_encoding, read_source

if TYPE_CHECKING:
    from pathlib import Path

_DEFINITION = re.compile(r"(?m)^(?:@.*\n)*(?:def|class|async[ \t]+def)\b")
_BROKEN = "the file would not be Python any more"
_NO_PROOF = "nothing was written; this is a bug of the toolchain: please report it with the file"


class ChangedRange(NamedTuple):
    """A range of a file that an edit changes.

    Attributes:
        start, end: the range of bytes in the old file (of characters, if the source is a ``str``).
        new: what stands there in the new one.
        line, end_line: the lines of that in the new text, from 1; the last one is not among them.
    """

    start: int
    end: int
    new: str
    line: int
    end_line: int


class Edit(NamedTuple):
    """A proved edit of one file.

    Attributes:
        text: the new text, with the newlines of the old one.
        data: the new file, byte for byte.
        ranges: the parts that change, in order.
        old: the old text.
        removed_comments: the comments that the new text does not have any more.
        proved: the first line of the old text that the proof has read, and the line after the last one. Outside of them no byte
            is different.

    >>> edit = merge("x = 1  # one\\ny = 2\\n", "x = 3\\ny = 2\\n", seen="x = 1\\ny = 2\\n")
    >>> edit.text
    'x = 3  # one\\ny = 2\\n'
    >>> [part.new for part in edit.ranges]
    ['3']
    """

    text: str
    data: bytes
    ranges: tuple[ChangedRange, ...]
    old: str
    removed_comments: tuple[str, ...]
    proved: tuple[int, int]

    def diff(self, path: str = "file") -> str:
        """The edit as a unified diff; empty if nothing changes."""
        old, new = self.old.splitlines(keepends=True), self.text.splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, path, path)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


class SourceFile:
    """A file as it is: its bytes, its text, and the text that is read, with every newline a line feed.

    Raises:
        PythonSyntaxError: it cannot be decoded.
    """

    def __init__(self, source: str | bytes, path: str | None = None) -> None:
        self.read = read_source(source, path=path)
        self.path = path
        self.is_text = isinstance(source, str)
        self.encoding = "utf-8"
        self.mark = b""
        if isinstance(source, bytes):
            self.encoding = detect_encoding(source, path=path)
            self.mark = codecs.BOM_UTF8 if source.startswith(codecs.BOM_UTF8) else b""
            self.data = source
            self.text = source[len(self.mark) :].decode(self.encoding)
        else:
            self.text = source
            self.data = source.encode("utf-8", "surrogatepass")
        self.newline = "\r\n" if "\r\n" in self.text else "\r" if "\r" in self.text and "\n" not in self.text else "\n"

    def edit(self, changes: Sequence[Splice], proved: tuple[int, int], removed_comments: tuple[str, ...] = ()) -> Edit:
        """The edit that changes some ranges of the text that was read.

        Raises:
            EditError: the encoding of the file has no such characters.
        """
        raw = self._offsets()
        text, read = self.text, self.read
        skipped = 1 if self.is_text and text.startswith("\ufeff") else 0
        out: list[str] = []
        data: list[bytes] = [self.mark]
        found: list[ChangedRange] = []
        at = at_byte = 0
        position, line = len(self.mark), 1
        for change in _trimmed(read, changes):
            start, end = (raw[change.start], raw[change.end]) if raw else (change.start + skipped, change.end + skipped)
            kept = text[at:start]
            new = change.text.replace("\n", self.newline) if self.newline != "\n" else change.text
            position += len(self._encoded(kept))
            length = len(self._encoded(text[start:end]))
            line += read.count("\n", at_byte, change.start)
            at_byte = change.end
            where = (start, end) if self.is_text else (position, position + length)
            ends = line + change.text.count("\n") + (not change.text.endswith("\n") and bool(change.text))
            found.append(ChangedRange(*where, new, line, max(ends, line)))
            out += (kept, new)
            data += (self._encoded(kept), self._encoded(new))
            position += length
            line += change.text.count("\n")
            at = end
        out.append(text[at:])
        data.append(self._encoded(text[at:]))
        return Edit("".join(out), b"".join(data), tuple(found), text, removed_comments, proved)

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding, "surrogatepass" if self.encoding == "utf-8" else "strict")
        except UnicodeEncodeError as error:
            char = text[error.start]
            raise EditError(f"{self.encoding}, the encoding of the file, has no character {char!r}", path=self.path) from None

    def _offsets(self) -> list[int]:
        """For each offset into the text that is read, the one into the text; empty if they are the same but for a mark."""
        if "\r" not in self.text:
            return []
        found = []
        at = 1 if self.text.startswith("\ufeff") else 0
        text = self.text
        while at < len(text):
            found.append(at)
            at += 2 if text[at] == "\r" and text[at + 1 : at + 2] == "\n" else 1
        return [*found, len(text)]


def _trimmed(text: str, changes: Sequence[Splice]) -> list[Splice]:
    """Changes without what is the same at their ends, and without those that change nothing."""
    found: list[Splice] = []
    for start, end, new in changes:
        first = 0
        while first < min(end - start, len(new)) and text[start + first] == new[first]:
            first += 1
        last = 0
        while last < min(end - start, len(new)) - first and text[end - 1 - last] == new[-1 - last]:
            last += 1
        if first < len(new) - last or first < end - start - last:
            found.append(Splice(start + first, end - last, new[first : len(new) - last]))
    return found


def merge(
    source: str | bytes,
    rewritten: str,
    *,
    seen: str | None = None,
    dialect: str | Path | Dialect = PYTHON,
    path: str | None = None,
) -> Edit:
    """Make a file say what a model has made of it, and leave every byte of it that need not change.

    Args:
        source: the person's file.
        rewritten: the whole program as the model wrote it.
        seen: what the model had before it, a view of the file or the file as it was then; by default the file. What it does
            not hold is not touched.
        dialect: that of ``rewritten`` and ``seen``.
        path: the file, for messages.

    Raises:
        PythonSyntaxError, SimPySyntaxError: one of the texts is not a program.
        ConflictError: a place was changed on both sides.
        EditError: the encoding of the file lacks a character.
        RoundTripError: the proof failed, which is a bug here.

    >>> print(merge("def f(a):  # why\\n    return (a+1)\\n", "<def_stmt>f a<block_start><return>a+2<block_end>",
    ...             seen="<def_stmt>f a<block_start><return>(a+1)<block_end>", dialect="classic").text)
    def f(a):  # why
        return a+2
    <BLANKLINE>
    """
    chosen = Dialect.load(dialect)
    file = SourceFile(source, path)
    ours = tokens_of(file.read, path)
    if seen is None and chosen.is_python and chosen.layout == COMPACT:
        seen = convert(file.read, source=PYTHON, target=chosen, verify=False, path=path)
    if seen is None and chosen.is_python:
        wanted = read_source(rewritten, path=path)
    else:
        wanted = _canonical(rewritten, chosen, path)
    if seen is not None:
        before = _canonical(seen, chosen, path)
        try:
            wanted = _restored(file.read, before, wanted, path)
        except PythonSyntaxError as error:
            raise ConflictError(f"what both sides have made is not Python: {error.message}", path=path) from None
    theirs = tokens_of(wanted, path)
    part, their_part = changed_parts(ours, items_of(ours), theirs, items_of(theirs))
    try:
        return proved_edit(file, ours, part, laid_out(their_part.text(wanted), width=None))
    except (SimPyError, LexError) as error:
        if part == whole(ours) and isinstance(error, SimPyError):
            raise
    try:
        return proved_edit(file, ours, whole(ours), laid_out(wanted, width=None))
    except LexError as error:
        raise EditError(f"the file cannot be read beside the change: {error}", path=path) from None


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
    try:
        tokens = tokens_of(file.read, path)
    except PythonSyntaxError as error:
        return _replace_in_sound_part(file, error, old, new, near, within)
    dialect = None if view is None else Dialect.load(view)
    if dialect is not None and not dialect.is_python:
        seen, rewritten = replaced_in_spelling(tokens, dialect, old, new, near=near, within=within, everywhere=everywhere)
        return merge(source, rewritten, seen=seen, dialect=dialect, path=path)
    unit = " " if dialect is not None and dialect.layout == COMPACT else None
    old, new = _without_common_end(old, new)
    try:
        if not everywhere:
            exact = _exact(file, old, new) if not _is_piece(old) else None
            if exact is not None:
                return exact
            try:
                place = find(tokens, old, near=near, within=within, unit=unit)
            except PlaceError as error:
                exact = None if error.candidates or within else _exact(file, old, new)  # code in a docstring
                if exact is None:
                    raise
                return exact
            return _replace_at(file, tokens, place, old, new)
        text = file.read
        changes: list[Splice] = []
        removed: tuple[str, ...] = ()
        places: list[Place] = []
        for place in find_all(tokens, old, within=within):
            if not places or place.start >= places[-1].end:
                places.append(place)
        for place in reversed(places):  # what stands before a place is as it was
            edit = _replace_at(SourceFile(text, path), tokens_of(text, path), place, old, new)
            changes = [Splice(*changed[:3]) for changed in edit.ranges] + changes
            removed = edit.removed_comments + removed
            text = edit.text
    except EditError as error:
        if error.message.startswith(_BROKEN):
            read_stream(file.read, Dialect.load(PYTHON), path)  # where it is not Python as it stands, that is what has to be said
        error.path = error.path or (path if error.line is None else None)
        raise
    if any(one.end > other.start for one, other in zip(changes, changes[1:], strict=False)) or applied(file.read, changes) != text:
        changes = [Splice(0, len(file.read), text)]  # a row that holds several places was printed anew
    return file.edit(changes, (1, tokens.line(len(file.read)) + 1), removed)


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
    text = file.read[:start] + new + file.read[start + len(old) :]
    read_stream(file.read, Dialect.load(PYTHON), file.path)
    try:
        read_stream(text, Dialect.load(PYTHON), file.path)
        tokens = Tokens(text)
    except (SimPyError, LexError) as error:
        raise EditError(f"{_BROKEN}: {error}", hint="nothing was written") from None
    removed = _removed_comments(Tokens(file.read), tokens)
    return file.edit([Splice(start, start + len(old), new)], (1, file.read.count("\n") + 2), removed)


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
    return file.edit(changes, (edit.proved[0] + before, edit.proved[1] + before), edit.removed_comments)


def _replace_at(file: SourceFile, tokens: Tokens, place: Place, old: str, new: str) -> Edit:
    """Replace a piece at a place."""
    if _ends_with_comma(old) and _ends_with_comma(new) and tokens.keys[place.end - 1] != ",":
        new = new.rstrip()[:-1]  # both have it, and it says nothing
    first = tokens.starts[place.start]
    inside = any(opening < place.start and place.end <= close for opening, close in tokens.pairs().items())
    if not inside and _moves(old, new, first == tokens.line_start(first)):
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
    columns = [len(line) - len(line.lstrip(" \t")) for line in (old.lstrip("\n"), new.lstrip("\n"))]
    return bool(new.strip()) and (columns[0] > 0 or at_margin) and columns[0] != columns[1]


def _replace_lines(file: SourceFile, tokens: Tokens, place: Place, old: str, new: str) -> Edit:
    """Replace whole lines that are indented as in the file by lines that are indented as they shall be there.

    Raises:
        EditError: they are not, or the file would not be Python any more.
    """
    first = tokens.starts[place.start]
    start, end = tokens.line_start(first), tokens.line_end(row_end(tokens, place.end))
    column = len(old.lstrip("\n")) - len(old.lstrip("\n").lstrip(" \t"))
    rest = tokens.text[row_end(tokens, place.end) : end]
    if first - start != column or tokens.text[start:first].strip(" \t\f") or rest.strip() or _hides(tokens, place):
        raise EditError("the new piece begins at another column than the old one", hint="indent both as in the file, or both alike")
    try:
        wanted = laid_out(tokens.text[:start] + new.strip("\n") + tokens.text[end:], width=None)
    except SimPyError as error:
        raise EditError(f"{_BROKEN}: {error.message}", hint="nothing was written") from None
    return proved_edit(file, tokens, whole(tokens), wanted)


def _replace_in(file: SourceFile, tokens: Tokens, part: Part, place: Place, piece: Piece | None) -> Edit:
    """Replace a piece inside a part of a file."""
    inner = tokens if part == whole(tokens) else Tokens(part.text(file.read))
    before = part.tokens_before
    place = place._replace(start=place.start - before, end=place.end - before)
    wanted = _wanted(inner, place, piece)
    if _hides(inner, place):
        seen = laid_out(replaced(inner, place, place.piece), width=None)
        wanted = _restored(inner.text, seen, wanted, file.path)
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
        raise EditError(f"{_BROKEN}: {error.message}", hint="nothing was written") from None


def _ends_with_comma(piece: str) -> bool:
    return piece.rstrip().endswith(",")


def _hides(tokens: Tokens, place: Place) -> bool:
    """Whether something stands at a place that the piece does not have: comments, parentheses that only group."""
    piece = place.piece
    ours, theirs = tokens.words[place.start : place.end], piece.tokens.words[piece.start : piece.end]
    said = [[word.removeprefix("call ") for word in words if word != NEWLINE] for words in (ours, theirs)]
    return said[0] != said[1]


def _canonical(text: str, dialect: Dialect, path: str | None) -> str:
    """A program as Python in the canonical layout."""
    return convert(text, source=dialect, target=PYTHON, verify=False, width=None, path=path)


def _restored(source: str, seen: str, rewritten: str, path: str | None) -> str:
    tokens = Tokens(source), Tokens(seen), Tokens(rewritten)
    if tokens[0].words == tokens[1].words:
        return rewritten
    whole = restored(*tokens, path=path)
    hides_only_comments = [w for k, w in _code(tokens[0]) if k not in "()"] == [w for k, w in _code(tokens[1]) if k not in "()"]
    if hides_only_comments and not _same(whole, rewritten):
        whole = restored(*tokens, parentheses=False, path=path)
        if not _same(whole, rewritten):
            raise RoundTripError("comments cannot be put back", path=path, hint=_NO_PROOF)
    merged = laid_out(whole, width=None)
    name = twice_defined(tokens[0], tokens[2], Tokens(merged))
    if name:
        raise ConflictError(f"both sides have added a definition of {name[1:]}", path=path)
    return merged


def _code(tokens: Tokens) -> list[tuple[str, str]]:
    return [(key, word) for key, word in zip(tokens.keys, tokens.words, strict=True) if key not in COMMENTS and key != "NEWLINE"]


def _same(one: str, other: str) -> bool:
    """Whether two programs are the same to CPython; so are two that it does not read, which the last proof decides."""
    trees = []
    for text in (one, other):
        try:
            trees.append(parse_tree(text))
        except SyntaxError:
            trees.append(None)
    a, b = trees
    return a is b if a is None or b is None else same_tree(a, b)


def proved_edit(file: SourceFile, tokens: Tokens, part: Part, wanted: str) -> Edit:
    """The edit that makes a part of a file say what a program says, proved.

    Args:
        file: the file.
        tokens: its tokens.
        part: the part.
        wanted: the program, in the canonical layout without a width.

    Raises:
        PythonSyntaxError: the part is not Python.
        RoundTripError: the proof failed, which is a bug here.
    """
    text = part.text(file.read)
    read_stream(text, Dialect.load(PYTHON), file.path)  # says what is wrong, and where
    source, target = Tokens(text), Tokens(wanted)
    style = file_style(tokens)
    if _is_read(text) and not _is_read(wanted):
        raise EditError(_BROKEN, path=file.path, hint="nothing was written")
    error: Exception | None = None
    for fine in (True, False):
        changes = splices(source, target, style, fine=fine)
        new = applied(text, changes)
        try:
            prove_text(wanted, new, file.path)
            if part.opener and (not new.startswith(part.opener) or len(items_of(Tokens(new))) != 1):
                raise RoundTripError("the edit leaves its block", path=file.path, hint=_NO_PROOF)
        except (RoundTripError, PythonSyntaxError, LexError) as failed:
            error = failed
            continue
        lines = tokens.line(part.start), tokens.line(max(part.end - 1, part.start)) + 1
        shifted = [Splice(start + part.shift, end + part.shift, piece) for start, end, piece in changes]
        edit = file.edit(shifted, lines, _removed_comments(source, target))
        expected = f"{file.read[: part.start]}{new.removeprefix(part.opener)}{file.read[part.end :]}"
        if read_source(edit.text if file.is_text else edit.data) == expected and _outside_is_same(file, edit):
            return edit
    raise RoundTripError("the edit cannot be proved", path=file.path, hint=_NO_PROOF) from error


def _is_read(text: str) -> bool:
    """Whether this interpreter reads a program."""
    try:
        parse_tree(text)
    except SyntaxError:
        return False
    return True


def _removed_comments(source: Tokens, target: Tokens) -> tuple[str, ...]:
    """The comments of a program that another one lacks."""
    before, after = ([word for key, word in zip(t.keys, t.words, strict=True) if key in COMMENTS] for t in (source, target))
    return tuple(word.removeprefix("COMMENT ") for word in (Counter(before) - Counter(after)).elements())


def prove_text(wanted: str, new: str, path: str | None) -> None:
    """Show that a text is the program that is wanted, with its comments in order.

    Raises:
        RoundTripError: it is not.
    """
    prove(wanted, read_stream(wanted, Dialect.load(PYTHON), path), lambda: new, path)
    comments = [[word for key, word in zip(t.keys, t.words, strict=True) if key in COMMENTS] for t in (Tokens(new), Tokens(wanted))]
    if comments[0] != comments[1]:
        raise RoundTripError("the comments are not those of the program", path=path, hint=_NO_PROOF)


def _outside_is_same(file: SourceFile, edit: Edit) -> bool:
    """Whether every byte outside the changes is that of the old file."""
    old: str | bytes = file.text if file.is_text else file.data
    new: str | bytes = edit.text if file.is_text else edit.data
    before, after = 0, 0
    for change in edit.ranges:
        length = change.start - before
        if old[before : change.start] != new[after : after + length]:
            return False
        after += length + (len(change.new) if file.is_text else len(change.new.encode(file.encoding)))
        before = change.end
    return old[before:] == new[after:]


@lru_cache(maxsize=8)
def _kept_tokens(text: str) -> Tokens:
    return Tokens(text)


def tokens_of(text: str, path: str | None) -> Tokens:
    """The tokens of a text, kept for the next edit of it.

    Raises:
        PythonSyntaxError: it is not tokens of Python.
    """
    try:
        return _kept_tokens(text)
    except LexError as error:
        raise PythonSyntaxError.at(text, error.offset, error.message, path=path) from None
