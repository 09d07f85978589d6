"""A view of a piece of a file, such as one symbol or some lines: where in the file it stands, and the file with it in that place.

So what a model makes of a piece is merged as if it had seen the whole file: the piece in its place, and around it the file as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simpy_grammar.errors import EditError, PlaceError, SimPyError
from simpy_grammar.python_tokens import LexError
from transpiler.edits.finding import ambiguous, candidate_at
from transpiler.edits.printer import laid_out
from transpiler.edits.proving import BROKEN
from transpiler.edits.rows import row_end
from transpiler.edits.structure import Clause, Item, items_of
from transpiler.edits.tokens import COMMENT, STRING, Tokens, indent_width
from transpiler.edits.writer import Writer, rows_of

Range = tuple[int, int]
"""Indices of tokens, half open."""
_FILLERS = frozenset(("...", "^pass"))  # what views write in the place of statements


def place_of(tokens: Tokens, seen: Tokens) -> Range | None:
    """The one place of a piece inside of a block; ``None`` if what was seen is the whole file, or the file as it was once.

    Raises:
        PlaceError: it may stand at several places.

    >>> tokens = Tokens("class C:\\n    def f(self):\\n        a  # why\\n        b\\n")
    >>> place_of(tokens, Tokens("def f(self):\\n    a\\n    b\\n")), place_of(tokens, Tokens("class C: ...\\n"))
    ((3, 13), None)
    """
    wanted = _statements(items_of(seen))
    outer = items_of(tokens)
    if not wanted:
        return None
    found: list[tuple[Range, bool]] = []
    for block in _blocks(outer):
        statements = _statements(block)
        for at, item in enumerate(statements):
            count = _run(tokens, statements, at, seen, wanted) if item.head == wanted[0].head else 0
            if count:
                if block is outer and count == len(statements):
                    return None
                found.append((_with_comments(block, item, statements[at + count - 1], items_of(seen)), block is outer))
    if len(found) > 1:
        error = ambiguous([candidate_at(tokens, start) for (start, _), _ in found])
        error.hint = "say which lines were seen"
        raise error
    return None if not found or found[0][1] else found[0][0]


def place_in_lines(tokens: Tokens, first: int, last: int) -> Range:
    """The smallest run of whole statements in one block that holds some lines.

    Raises:
        PlaceError: there is no statement in these lines.

    >>> place_in_lines(Tokens("a\\nif b:\\n    c\\n    d\\n"), 3, 3)
    (4, 5)
    """
    block: Sequence[Item] = items_of(tokens)
    while True:
        spans = [_lines(tokens, item) for item in block]
        inside = [item for item, (start, end) in zip(block, spans, strict=True) if start <= last and end >= first]
        if not inside:
            raise PlaceError(f"there is no statement in lines {first}-{last}")
        deeper = _block_in_lines(tokens, inside[0], first, last) if len(inside) == 1 else None
        if deeper is None:
            return inside[0].start, inside[-1].end
        block = deeper


def with_piece(tokens: Tokens, place: Range, piece: Tokens) -> str:
    """A file with something in the place of some of its statements, in the canonical layout.

    Raises:
        EditError: it is not Python then.

    >>> with_piece(Tokens("class C:\\n    a = 1\\n"), (3, 6), Tokens("b = 2\\nc = 3\\n"))
    'class C:\\n    b = 2\\n    c = 3\\n'
    """
    writer, outer, inner = Writer(), rows_of(tokens), rows_of(piece)
    for rows, start, end in ((outer, 0, place[0]), (inner, 0, len(piece)), (outer, place[1], len(tokens))):
        for i, at in enumerate(rows.at):
            if start <= at < end:
                writer.write(rows, i)
    try:
        return laid_out(writer.text(), width=None)
    except SimPyError as error:
        raise EditError(f"{BROKEN}: {error.message}", hint="nothing was written") from None


def dedented(text: str) -> str:
    """A piece whose first line is indented, as in its file, without that indent; any other text as it is.

    >>> dedented("    a = 1\\n    b = 2\\n")
    'a = 1\\nb = 2\\n'
    """
    if not text.strip() or not indent_width(text):
        return text
    body = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    try:
        tokens = Tokens(f"if 1:\n{body}\n")
    except LexError:
        return text  # whoever reads it says what is wrong
    items = items_of(tokens)
    if len(items) != 1 or len(items[0].clauses) != 1:
        return text
    rows, writer, block = rows_of(tokens), Writer(), items[0].clauses[0]
    for i, at in enumerate(rows.at):
        if block.end < at < block.close - 1:
            writer.write(rows, i)
    return writer.text()


# --------------------------------------------------------------------------------------------------- what a view may show


def _blocks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """A block and those inside of it. The cases of a ``match`` cannot stand alone, so they are not one."""
    if not any(item.head == "^case" for item in items):
        yield items
    for item in items:
        for clause in item.clauses:
            yield from _blocks(clause.items)


def _statements(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.head != COMMENT]


def _run(tokens: Tokens, ours: Sequence[Item], first: int, seen: Tokens, wanted: Sequence[Item]) -> int:
    """How many statements of a block those of a view show, from the first of them on; 0 if they do not."""
    at = first
    for item in wanted:
        while first < at < len(ours) and ours[at].is_field and not _shows(seen, item, tokens, ours[at]):
            at += 1
        if at == len(ours) or not _shows(seen, item, tokens, ours[at]):
            return 0
        at += 1
    return at - first


def _shows(seen: Tokens, item: Item, tokens: Tokens, ours: Item) -> bool:
    """Whether a statement of a view may show one of a file."""
    if item.words == ours.words:
        return True
    if item.head != ours.head or item.name != ours.name or len(item.clauses) != len(ours.clauses):
        return False
    if not item.clauses:
        shown, said = _said(seen, item.start, item.end), _said(tokens, ours.start, ours.end)
        return shown in (said, _without_annotation(said))
    return all(_shows_clause(seen, one, tokens, other) for one, other in zip(item.clauses, ours.clauses, strict=True))


def _shows_clause(seen: Tokens, clause: Clause, tokens: Tokens, ours: Clause) -> bool:
    said = iter(_said(tokens, ours.start, ours.end))
    if not all(word in said for word in _said(seen, clause.start, clause.end)):  # annotations may be missing, and decorators
        return False
    left = iter(_statements(ours.items))
    shown = [item for item in _statements(clause.items) if item.head not in _FILLERS | {STRING}]
    return all(any(_shows(seen, item, tokens, other) for other in left) for item in shown)


def _said(tokens: Tokens, start: int, end: int) -> list[str]:
    """What some tokens say, without comments and without parentheses that only group."""
    return [word for word in tokens.words[start:end] if word not in ("(", ")") and not word.startswith(f"{COMMENT} ")]


def _without_annotation(said: list[str]) -> list[str]:
    if said[1:2] != [":"] or "=" not in said:
        return said
    return [said[0], *said[said.index("=") :]]


def _with_comments(block: Sequence[Item], first: Item, last: Item, shown: Sequence[Item]) -> Range:
    """The tokens of a run of statements, with the comments above and below it that were seen."""
    at, until = block.index(first), block.index(last) + 1
    above = [item.words for item in _leading_comments(shown)]
    while above and at and block[at - 1].words == above.pop():
        at -= 1
    below = [item.words for item in reversed(_leading_comments(shown[::-1]))]
    while below and until < len(block) and block[until].words == below.pop(0):
        until += 1
    return block[at].start, block[until - 1].end


def _leading_comments(items: Sequence[Item]) -> list[Item]:
    found: list[Item] = []
    for item in items:
        if item.head != COMMENT:
            break
        found.append(item)
    return found


# ----------------------------------------------------------------------------------------------------------------- lines


def _lines(tokens: Tokens, item: Item) -> Range:
    """The first and the last line of a statement."""
    end = item.end
    while end > item.start + 1 and tokens.starts[end - 1] == tokens.ends[end - 1]:
        end -= 1
    start = tokens.starts[item.start]
    return tokens.line(start), tokens.line(max(row_end(tokens, end) - 1, start))


def _block_in_lines(tokens: Tokens, item: Item, first: int, last: int) -> Sequence[Item] | None:
    """The block of a statement that holds all of some lines."""
    clauses = item.clauses
    if item.head == "^match":
        clauses = [clause for case in item.clauses[0].items for clause in case.clauses] if clauses else []
    for clause in clauses:
        header = tokens.line(tokens.starts[clause.end - 1])
        if clause.items and header < first:
            spans = [_lines(tokens, inner) for inner in clause.items]
            if spans[0][0] <= first and last <= spans[-1][1]:
                return clause.items
    return None
