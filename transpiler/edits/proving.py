"""The proof of an edit: the tree and the comments that were asked for, and every byte outside as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import EditError, PythonSyntaxError, RoundTripError
from simpy_grammar.python_tokens import LexError
from transpiler.conversion import read_stream
from transpiler.edits.merging import Splice, applied, splices
from transpiler.edits.parts import Part
from transpiler.edits.printer import file_style
from transpiler.edits.source_file import Edit, SourceFile
from transpiler.edits.structure import items_of
from transpiler.edits.tokens import COMMENTS, Tokens
from transpiler.edits.writer import written
from transpiler.proof import parse_tree, prove, same_tree
from transpiler.source import read_source

BROKEN = "the file would not be Python any more"
NO_PROOF = "nothing was written; this is a bug of the toolchain: please report it with the file"


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
    style = file.style or file_style(tokens)
    check_read(text, wanted, file.path)
    error: Exception | None = None
    for fine in (True, False):
        changes = splices(source, target, style, fine=fine)
        new = applied(text, changes)
        try:
            prove_text(wanted, new, file.path)
            if part.opener and (not new.startswith(part.opener) or len(items_of(Tokens(new))) != 1):
                raise RoundTripError("the edit leaves its block", path=file.path, hint=NO_PROOF)
        except (RoundTripError, PythonSyntaxError, LexError) as failed:
            error = failed
            continue
        lines = tokens.line(part.start), tokens.line(max(part.end - 1, part.start)) + 1
        shifted = [Splice(start + part.shift, end + part.shift, piece) for start, end, piece in changes]
        expected = f"{file.read[: part.start]}{new.removeprefix(part.opener)}{file.read[part.end :]}"
        return checked_edit(file, shifted, expected, lines, removed_comments(source, target))
    raise RoundTripError("the edit cannot be proved", path=file.path, hint=NO_PROOF) from error


def checked_edit(
    file: SourceFile, changes: Sequence[Splice], expected: str, proved: tuple[int, int], removed: tuple[str, ...] = ()
) -> Edit:
    """The edit of some ranges, if it gives the text that is expected and leaves every byte outside of them.

    Args:
        file: the file.
        changes: the ranges of the text that is read, and what comes there.
        expected: the new text, with every newline a line feed.
        proved: the lines that the proof has read.
        removed: the comments that the edit removes.

    Raises:
        EditError: the encoding of the file lacks a character.
        RoundTripError: it gives another text, which is a bug here.
    """
    edit = file.edit(changes, proved, removed)
    if read_source(edit.text if file.is_text else edit.data) != expected or not _outside_is_same(file, edit):
        raise RoundTripError("the bytes outside of the edit are not those of the file", path=file.path, hint=NO_PROOF)
    return edit


def check_read(old: str, new: str, path: str | None) -> None:
    """See that CPython reads what an edit makes of a text, if it reads the text.

    Raises:
        EditError: it does not.
    """
    if is_read(old) and not is_read(new):
        raise EditError(BROKEN, path=path, hint="nothing was written")


def check_tokens(tokens: Tokens, path: str | None) -> None:
    """See that the tokens of a text say what the text says, since what is asked for is made of them.

    Raises:
        RoundTripError: they do not, which is a bug here.
    """
    trees = []
    for text in (tokens.text, written(tokens, 0, len(tokens))):
        try:
            trees.append(parse_tree(text))
        except SyntaxError:
            trees.append(None)
    if trees[0] is not None and (trees[1] is None or not same_tree(trees[0], trees[1])):
        raise RoundTripError("the tokens of the file are not its program", path=path, hint=NO_PROOF)


def is_read(text: str) -> bool:
    """Whether this interpreter reads a program."""
    try:
        parse_tree(text)
    except SyntaxError:
        return False
    return True


def comments_of(tokens: Tokens) -> list[str]:
    """The comments of a program, in order."""
    return [word.removeprefix("COMMENT ") for key, word in zip(tokens.keys, tokens.words, strict=True) if key in COMMENTS]


def removed_comments(source: Tokens, target: Tokens) -> tuple[str, ...]:
    """The comments of a program that another one lacks."""
    return tuple((Counter(comments_of(source)) - Counter(comments_of(target))).elements())


def prove_text(wanted: str, new: str, path: str | None) -> None:
    """Show that a text is the program that is wanted, with its comments in order.

    Raises:
        RoundTripError: it is not.
    """
    prove(wanted, lambda: read_stream(wanted, Dialect.load(PYTHON), path), lambda: new, path)
    if comments_of(Tokens(new)) != comments_of(Tokens(wanted)):
        raise RoundTripError("the comments are not those of the program", path=path, hint=NO_PROOF)


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
