"""A whole program that a model has written, merged into the person's file, which may hold more than the model has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import ConflictError, EditError, PythonSyntaxError, RoundTripError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.conversion import convert
from transpiler.edits.parts import Part, changed_parts, whole, with_other_text
from transpiler.edits.printer import laid_out
from transpiler.edits.proving import NO_PROOF, check_tokens, proved_edit, tokens_of
from transpiler.edits.restoration import restored, twice_defined
from transpiler.edits.seen_pieces import dedented, place_in_lines, place_of, with_piece
from transpiler.edits.source_file import Edit, SourceFile
from transpiler.edits.structure import items_of
from transpiler.edits.tokens import COMMENTS, NEWLINE, Tokens
from transpiler.proof import parse_tree, same_tree
from transpiler.source import read_source

if TYPE_CHECKING:
    from pathlib import Path


def merge(
    source: str | bytes,
    rewritten: str,
    *,
    seen: str | None = None,
    lines: tuple[int, int] | None = None,
    dialect: str | Path | Dialect = PYTHON,
    path: str | None = None,
) -> Edit:
    """Make a file say what a model has made of it, and leave every byte of it that need not change.

    Args:
        source: the person's file.
        rewritten: the whole program as the model wrote it.
        seen: what the model had before it, a view of the file or the file as it was then; by default the file. What it does
            not hold is not touched. A view of a piece (``symbol=NAME``, ``lines=A-B``) is found inside of the block that holds it.
        lines: the lines of ``source`` that the piece shows (``View.lines``), if ``seen`` is one: then it need not be found.
        dialect: that of ``rewritten`` and ``seen``.
        path: the file, for messages.

    Raises:
        PythonSyntaxError, SimPySyntaxError: one of the texts is not a program.
        ConflictError: a place was changed on both sides.
        PlaceError: ``seen`` is a piece that stands at several places.
        EditError: the encoding of the file lacks a character.
        RoundTripError: the proof failed, which is a bug here.
        ValueError: ``lines`` without ``seen``.

    >>> print(merge("def f(a):  # why\\n    return (a+1)\\n", "<def_stmt>f a<block_start><return>a+2<block_end>",
    ...             seen="<def_stmt>f a<block_start><return>(a+1)<block_end>", dialect="classic").text)
    def f(a):  # why
        return a+2
    <BLANKLINE>
    """
    if lines is not None and seen is None:
        raise ValueError("lines= says where seen= stands, which is missing")
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
        shown = tokens_of(before, path)
        place = place_of(ours, shown) if lines is None else place_in_lines(ours, *lines)
        if place is not None:
            before, wanted = with_piece(ours, place, shown), with_piece(ours, place, tokens_of(wanted, path))
        try:
            wanted = with_unseen(file.read, before, wanted, path)
        except PythonSyntaxError as error:
            raise ConflictError(f"what both sides have made is not Python: {error.message}", path=path) from None
    part, changed = _changed_part(ours, wanted, path)
    try:
        return proved_edit(file, ours, part, laid_out(changed, width=None))
    except (SimPyError, LexError) as error:
        if part == whole(ours) and isinstance(error, SimPyError):
            raise
    try:
        return proved_edit(file, ours, whole(ours), laid_out(wanted, width=None))
    except LexError as error:
        raise EditError(f"the file cannot be read beside the change: {error}", path=path) from None


def _changed_part(ours: Tokens, wanted: str, path: str | None) -> tuple[Part, str]:
    """The lines of a file that are to change, and what they are to say.

    Raises:
        PythonSyntaxError: the other text is not tokens of Python.
    """
    lines = with_other_text(ours, wanted)
    if lines is not None:
        part, items, text = lines
        try:
            theirs = Tokens(text)
        except LexError:
            pass  # such as a string that ends further down
        else:
            ours_part, their_part = changed_parts(ours, items, theirs, items_of(theirs), (part, whole(theirs)))
            return ours_part, their_part.text(text)
    theirs = tokens_of(wanted, path)
    ours_part, their_part = changed_parts(ours, items_of(ours), theirs, items_of(theirs), (whole(ours), whole(theirs)))
    return ours_part, their_part.text(wanted)


def _canonical(text: str, dialect: Dialect, path: str | None) -> str:
    """A program as Python in the canonical layout."""
    text = dedented(text) if dialect.is_python else text
    return convert(text, source=dialect, target=PYTHON, verify=False, width=None, path=path)


def with_unseen(source: str, seen: str, rewritten: str, path: str | None) -> str:
    """What was rewritten, with what ``source`` holds beyond ``seen``, in the canonical layout.

    Raises:
        ConflictError: a place was changed on both sides.
        PythonSyntaxError: what both have made is not Python.
        RoundTripError: the proof failed, which is a bug here.
    """
    tokens = Tokens(source), Tokens(seen), Tokens(rewritten)
    if tokens[0].words == tokens[1].words:
        return rewritten
    for each in (tokens[0], tokens[2]):
        check_tokens(each, path)
    both = restored(*tokens, path=path)
    hides_only_comments = [w for k, w in _code(tokens[0]) if k not in "()"] == [w for k, w in _code(tokens[1]) if k not in "()"]
    if (hides_only_comments or _has_tree_of(source, seen)) and not _same(both, rewritten):
        both = restored(*tokens, parentheses=False, path=path)
        if not _same(both, rewritten):
            if not hides_only_comments:
                raise ConflictError("what was seen is written otherwise than in the file, where it was changed", path=path)
            raise RoundTripError("comments cannot be put back", path=path, hint=NO_PROOF)
    merged = laid_out(both, width=None)
    name = twice_defined(tokens[0], tokens[2], Tokens(merged))
    if name:
        raise ConflictError(f"both sides have added a definition of {name}", path=path)
    return merged


def _code(tokens: Tokens) -> list[tuple[str, str]]:
    return [(key, word) for key, word in zip(tokens.keys, tokens.words, strict=True) if key not in COMMENTS and key != NEWLINE]


def _has_tree_of(one: str, other: str) -> bool:
    """Whether two programs are the same to CPython, which reads both."""
    try:
        trees = parse_tree(one), parse_tree(other)
    except SyntaxError:
        return False
    return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])


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
