"""A program with one of its pieces replaced, in tokens; and the tree that is asked for, from the trees of the pieces."""

from __future__ import annotations

import ast
import copy

from simpy_grammar.errors import EditError, PlaceError
from transpiler.edits.finding import Place
from transpiler.edits.pieces import Piece, indents_below, read_pieces
from transpiler.edits.tokens import CLOSING, COMMENTS, DEDENT, INDENT, LAYOUT, NEWLINE, OPENING, Tokens, indent_width
from transpiler.edits.writer import Writer, rows_of
from transpiler.proof import parse_tree, same_tree


def read_new(source: Tokens, new: str, old: str, place: Place) -> list[Piece | None]:
    """The ways to read the piece that comes in the place of another one, the likeliest first; ``[None]`` if it is empty.

    Raises:
        PlaceError: it is not a piece of Python.
    """
    if not new.strip():
        return [None]
    old_first, new_first = indent_width(old), indent_width(new)
    # The piece may have been read with another indent of its first line than it is written with.
    column = _column(place.piece)
    first = source.starts[place.start]
    rest = indents_below(new.strip("\n"))
    if not old_first and not new_first and source.begins_line(place.start) and "\n" not in old.strip() and min(rest, default=0):
        column = first - source.line_start(first)  # the lines after the first one are indented as in the file
    pieces = read_pieces(new, column if old_first == new_first else None)
    inside = source.is_inside(place.start, place.end)
    if inside and "\n" in new.strip():
        pieces = [piece for piece in pieces if piece.bracketed] or pieces  # a line break says nothing there
    elif source.begins[place.start] and (not place.piece.bracketed or (not inside and _is_comment(place.piece))):
        pieces = [piece for piece in pieces if not piece.bracketed] or pieces
    last = new.rstrip().rpartition("\n")[2].lstrip()
    if last.startswith("#") and not any(piece.tokens.keys[piece.end - 1] in COMMENTS for piece in pieces):
        raise PlaceError("the comment at the end of the new piece belongs to nothing", hint="give the statement below it, too")

    def unlikely(piece: Piece) -> tuple[bool, bool]:
        return piece.bracketed != place.piece.bracketed, old_first == new_first and _column(piece) != column

    return [*sorted(pieces, key=unlikely)]


def _is_comment(piece: Piece) -> bool:
    """Whether a piece holds nothing but comments, which a bracket takes as well as a block."""
    return COMMENTS.issuperset(piece.tokens.keys[piece.start : piece.end])


def _column(piece: Piece) -> int:
    return len(piece.tokens.indent(piece.start))


def replaced(source: Tokens, place: Place, piece: Piece | None, *, parenthesised: bool = False) -> str:
    """The program with a piece in the place of another one, with no care for its looks.

    Raises:
        EditError: the blocks around the place do not go on from the piece.
    """
    rows = rows_of(source)
    writer = Writer()
    at = 0
    while at < len(rows.at) and rows.at[at] < place.start:
        writer.write(rows, at)
        at += 1
    closed = 0  # how many blocks the new piece closes that were open before it
    written = 0  # how many more blocks are open after the piece than before
    if piece is not None:
        new = rows_of(piece.tokens)
        first = True
        if parenthesised:
            writer.add("(")
        depth, steps = 0, 0
        blocks = _open_blocks(source, place.start)
        for i, index in enumerate(new.at):
            if not piece.start <= index < piece.end:
                continue
            writer.write(new, i, begins=source.begins[place.start] if first else None)
            first = False
            depth += (new.keys[i] == INDENT) - (new.keys[i] == DEDENT)
            if depth < 0:  # the piece closes a block that it has not opened: where it stood, there may be more
                ends = _ends(source, place, piece, index, steps, blocks)
                closed += ends
                for _ in range(ends - 1):
                    writer.layout(DEDENT)
                written -= ends
                del blocks[-ends:]
                depth, steps = 0, steps + 1
        written += depth
        if parenthesised:
            writer.add(")")
    _check_blocks(source, place, closed)
    rest = _balance(source, place, piece, written, writer)
    for i in range(at, len(rows.at)):
        if rows.at[i] >= rest:
            writer.write(rows, i)
    return writer.text()


def _check_blocks(source: Tokens, place: Place, closed: int) -> None:
    """See that the blocks that a new piece closes end there in the source, too.

    Raises:
        EditError: what follows would move into another block.
    """
    keys = source.keys[place.start : place.end]
    if closed <= sum(place.closes):
        return
    needed = keys.count(INDENT) - keys.count(DEDENT) + closed
    for key in source.keys[place.end :]:
        if needed <= 0:
            return
        if key == DEDENT:
            needed -= 1
        elif key != NEWLINE and key not in COMMENTS:
            raise EditError("what follows the piece would move into another block", hint="quote the rest of the block, too")


def _open_blocks(source: Tokens, at: int) -> list[int | None]:
    """The columns of the blocks around a token, the outermost first, without the module; ``None`` for one on its header's line."""
    found: list[int | None] = []
    for i, key in enumerate(source.keys[:at]):
        if key == INDENT:
            start = source.starts[i]
            found.append(start - source.line_start(start) if source.begins_line(i) else None)
        elif key == DEDENT:
            found.pop()
    return found


def _ends(source: Tokens, place: Place, piece: Piece, index: int, closed: int, blocks: list[int | None]) -> int:
    """How many blocks of the source end at a block end of a piece that has not opened one.

    Raises:
        EditError: it cannot be told.
    """
    if piece is place.piece:
        return place.closes[closed]
    tokens = piece.tokens
    after = next((i for i in range(index, piece.end) if tokens.keys[i] not in LAYOUT | COMMENTS), None)
    start = source.starts[place.start]
    if after is not None and source.begins_line(place.start) and _column(piece) == start - source.line_start(start):
        column = tokens.starts[after] - tokens.line_start(tokens.starts[after])
        outer = [0, *blocks]
        if column in outer[:-1]:
            return len(outer) - 1 - outer.index(column)
    elif closed < len(place.closes):
        return place.closes[closed]
    raise EditError("it cannot be told which blocks end in the new piece", hint="indent it as the file is, or give whole blocks")


def _balance(source: Tokens, place: Place, piece: Piece | None, written: int, writer: Writer) -> int:
    """Open or close blocks so that what follows stands where it stood; return the token that follows."""
    old, rest = place.piece, place.end
    keys = source.keys[place.start : rest]
    more = written - (keys.count(INDENT) - keys.count(DEDENT))
    if piece is not None and piece.awaits_block and not old.awaits_block and more < 0:
        writer.layout(INDENT)
        more += 1
    elif old.awaits_block and piece is not None and not piece.awaits_block and more > 0 and source.keys[rest : rest + 1] == [INDENT]:
        rest += 1  # the block of the old header goes on in that of the new piece
        more -= 1
    while more > 0:
        writer.layout(DEDENT)
        more -= 1
    while more < 0:
        while rest < len(source) and source.keys[rest] == NEWLINE:
            rest += 1
        if rest >= len(source) or source.keys[rest] != DEDENT:
            raise EditError("the block goes on after the piece, and the new one does not open it", hint="quote the whole block")
        rest += 1
        more += 1
    return rest


def asked_tree(source: Tokens, place: Place, new: Piece | None) -> ast.AST | None:
    """The tree of the source with the tree of the new piece in the place of the old one, if the pieces are expressions.

    ``None`` if they are not, or if this interpreter cannot tell.

    Raises:
        PlaceError: the old piece is not an operand of its own where it stands, so that it cannot be replaced.
    """
    if new is None:
        return None
    old_tree, new_tree = _expression(source, place.start, place.end), _expression(new.tokens, new.start, new.end)
    if old_tree is None:
        return None
    if new_tree is None:
        element = source.is_inside(place.start, place.end) and _separated(source, place)
        if not element and not _is_row(source, place):
            raise PlaceError("statements cannot stand in the place of a part of one", hint="quote the whole statement")
        return None
    if any(new.tokens.begins[new.start + 1 : new.end]):
        return None  # several statements, though inside of a bracket they would be one operand
    if isinstance(new_tree, ast.Tuple) and not _is_group(new) and _is_element(source, place):
        return None  # several elements in the place of one
    try:
        tree = parse_tree(source.text)
    except SyntaxError:
        return None
    if tree is None:
        return None
    spans = [_tokens_span(source, place.start, place.end)]
    first, last, pairs = place.start, place.end, source.pairs()
    while source.words[first] == "(" and pairs.get(first) == last - 1:  # a group is not a node, what it holds is
        first, last = first + 1, last - 1
        spans.append(_tokens_span(source, first, last))
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            for i, child in enumerate(value) if isinstance(value, list) else [(-1, value)]:
                if isinstance(child, ast.expr) and _span(child) in spans and type(child) is type(old_tree):
                    context = getattr(child, "ctx", None)
                    replacement = copy.deepcopy(new_tree)
                    if context is not None and not isinstance(context, ast.Load) and not _set_context(replacement, context):
                        return None
                    if i < 0:
                        setattr(node, field, replacement)
                    else:
                        value[i] = replacement
                    return tree
    if _separated(source, place):
        return None
    raise PlaceError("the piece is not an operand of its own here: it is a part of a larger expression", hint="quote the whole expression")


def _is_element(source: Tokens, place: Place) -> bool:
    """Whether a place is all of an element of a bracket."""
    before, after = source.keys[place.start - 1] if place.start else NEWLINE, source.keys[place.end] if place.end < len(source) else NEWLINE
    return (before == "," or before in OPENING or before in COMMENTS) and (after == "," or after in CLOSING or after in COMMENTS)


def _is_group(piece: Piece) -> bool:
    """Whether a piece is one pair of brackets and what it holds."""
    return piece.tokens.pairs(piece.start, piece.end).get(piece.start) == piece.end - 1


def _set_context(node: ast.expr, context: ast.expr_context) -> bool:
    """Make an operand a target; whether it can be one."""
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Starred, ast.Tuple, ast.List)):
        return False
    node.ctx = context
    inner = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node.value] if isinstance(node, ast.Starred) else []
    return all(_set_context(element, context) for element in inner)


def _is_row(source: Tokens, place: Place) -> bool:
    """Whether a place is whole rows."""
    begins = source.begins
    after = place.end
    return begins[place.start] and (after >= len(source) or begins[after] or source.keys[after] in LAYOUT | COMMENTS)


def _separated(source: Tokens, place: Place) -> bool:
    """Whether a place is elements of a row or a bracket: separators stand on both sides."""
    before = source.keys[place.start - 1] if place.start else NEWLINE
    after = source.keys[place.end] if place.end < len(source) else NEWLINE
    before = "," if source.keys[place.start] == "," else before
    after = "," if source.keys[place.end - 1] == "," else after
    ends = {",", "=", ":", *LAYOUT, *COMMENTS}
    return (before in ends | set(OPENING)) and (after in ends | CLOSING or after[0] == "^")


def _expression(tokens: Tokens, start: int, end: int) -> ast.expr | None:
    """The tree of some tokens as an operand; ``None`` if they are not one."""
    try:
        tree = parse_tree(f"(\n{tokens.text[tokens.starts[start] : tokens.ends[end - 1]]}\n)\n")
    except SyntaxError:
        return None
    if not isinstance(tree, ast.Module) or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    if all(key in LAYOUT | COMMENTS for key in tokens.keys[start:end]):
        return None  # comments in parentheses would be an empty tuple
    return tree.body[0].value


def _position(source: Tokens, offset: int) -> tuple[int, int]:
    start = source.line_start(offset)
    return source.line(offset), len(source.text[start:offset].encode("utf-8", "surrogatepass"))


def _tokens_span(source: Tokens, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return _position(source, source.starts[start]), _position(source, source.ends[end - 1])


def _span(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


def says(text: str, tree: ast.AST) -> bool:
    """Whether a program has a tree."""
    try:
        found = parse_tree(text)
    except SyntaxError:
        return False
    return found is not None and same_tree(found, tree)
