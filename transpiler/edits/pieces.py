"""Pieces of programs as models quote them: in any layout, from anywhere on a line, with brackets and blocks left open on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from simpy_grammar.errors import PlaceError
from simpy_grammar.python_tokens import LexError
from transpiler.edits.tokens import DEDENT, LAYOUT, NEWLINE, Tokens, indent_width

_OPENER_OF = {")": "(", "]": "[", "}": "{"}
_HEADER = re.compile(r":[ \t]*(?:#[^\n]*)?\s*\Z")
_ENDS_HEADER = re.compile(r"[^\n]*:[ \t]*(?:#[^\n]*)?(?:\n|\Z)")  # the first line does
_COMPOUND = re.compile(r"(?:def|class|if|elif|else|while|for|with|try|except|finally|async|match|case)\b")
_CASE = re.compile(r"case\b")
_NAME = "case is a name"  # a way to read a piece
_TABS = re.compile(r"(?m)^\t")
_MOST_LEVELS = 40  # brackets and blocks that a piece may close without having opened them


class Piece:
    """The tokens of a piece.

    Attributes:
        tokens: those of the piece and of what had to stand around it to read it.
        start, end: the piece's own, without block ends at its end.
        column: what its first line is indented by, in columns; ``None`` if it does not begin with a line.
        awaits_block: it ends with a header whose block is not part of it.
        bracketed: it was read as if it stood inside a bracket.
    """

    def __init__(self, tokens: Tokens, start: int, end: int, column: int | None, awaits_block: bool, bracketed: bool) -> None:
        self.tokens = tokens
        self.start = start
        self.end = end
        self.column = column
        self.awaits_block = awaits_block
        self.bracketed = bracketed

    def __len__(self) -> int:
        return self.end - self.start

    def without_last_comma(self) -> Piece | None:
        """The piece without a comma at its end, which may say nothing; ``None`` if it has none."""
        if len(self) < 2 or self.tokens.keys[self.end - 1] != ",":
            return None
        return Piece(self.tokens, self.start, self.end - 1, self.column, False, self.bracketed)


def read_pieces(text: str, column: int | None = None) -> list[Piece]:
    """The ways to read a piece: more than one where its first line may be indented in more than one way.

    Args:
        text: the piece.
        column: what the first line is indented by, if that is known from elsewhere.

    Raises:
        PlaceError: it is not a piece of Python, or it is empty.

    >>> [piece.tokens.keys[piece.start:piece.end] for piece in read_pieces("b) + c")]
    [['NAME', ')', '+', 'NAME']]
    """
    stripped = text.strip("\n")
    if not stripped.strip():
        raise PlaceError("the piece to look for is empty")
    blank_lines = re.match(r"(?:[ \t\f]*\n)*", text)
    body = text[blank_lines.end() if blank_lines else 0 :].rstrip()
    first = indent_width(body)
    found: list[Piece] = []
    error: LexError | None = None
    ways = [(indent, "") for indent in dict.fromkeys(_columns(body, first, column))]
    if "\n" in body:
        ways.append((0, "("))  # its lines may be those of one that is broken inside a bracket
    if _CASE.match(body, first):
        ways += [(indent, _NAME) for indent, opener in ways if not opener]  # it may be a name
    if _ENDS_HEADER.match(body, first) and not _COMPOUND.match(body, first):
        ways += [(indent, "if 1 ") for indent, opener in ways if not opener]  # it begins inside a header
    for indent, opener in ways:
        try:
            piece = _read(body[first:], indent, first if first or column is None else column, opener)
        except LexError as failed:
            error = error or failed
            continue
        if opener != _NAME and _CASE.match(body, first) and piece.tokens.keys[piece.start] == "NAME":
            continue  # it is a name in any case, and is read so below
        if not any(piece.tokens.keys[piece.start : piece.end] == other.tokens.keys[other.start : other.end] for other in found):
            found.append(piece)
    if not found and error is not None:
        raise PlaceError.at(text, error.offset, f"the piece is not Python: {error}")
    return found


def _columns(body: str, first: int, column: int | None) -> Iterator[int]:
    """What the first line may be indented by."""
    yield first
    if column is not None:
        yield column
    if first == 0:  # it may begin inside a line
        indents = sorted(set(indents_below(body)))
        yield from indents
        yield from (indent - 1 for indent in indents if indent)
        if indents:
            yield indents[-1] + 1


def _read(body: str, indent: int, column: int, opener: str) -> Piece:
    """Read a piece whose first line is indented by some columns.

    Raises:
        LexError: it cannot be read so.
    """
    levels: set[int] = set()
    blank = "\t" if _TABS.search(body) else " "
    brackets = opener if opener == "(" else ""
    header_begun = opener if opener not in ("(", _NAME) else ""
    header = _HEADER.search(body) is not None
    case = opener != _NAME and _CASE.match(body) is not None
    whole = True
    for _ in range(_MOST_LEVELS):
        if indent or case:
            levels.add(0)
        ladder = "".join(f"{blank * level}if 1:\n" for level in sorted(levels) if level < indent or level == 0)
        if case and ladder:
            ladder = f"{ladder.rstrip()[: -len('if 1:')]}match 1:\n"
        margin = blank * max(indent, max(levels, default=0) + 1 if ladder else 0)
        end = f"\n{blank * (_last_indent(body, len(margin)) + 1)}pass" if header and whole else "\n" if whole else ""
        prefix = ladder + margin + header_begun + brackets
        try:
            tokens = Tokens(f"{prefix}{body}{end}", whole=whole)
        except LexError as error:
            at = error.offset - len(prefix)
            message = str(error)
            line = body[body.rfind("\n", 0, max(at, 0)) + 1 :]
            if message.startswith("unmatched") and 0 <= at < len(body) and body[at] in _OPENER_OF:
                brackets = _OPENER_OF[body[at]] + brackets
                if at and line.lstrip(" \t").startswith(body[at:]):
                    indent = min(indent, indent_width(line))  # the statement begins there; the first line is inside its bracket
                continue
            if "unindent" in message and at > 0:
                level = indent_width(line)
                if level < indent and level not in levels:
                    levels.add(level)
                    continue
            if whole and any(words in message for words in ("never closed", "indented block", "expected ':'")):
                whole = False
                continue
            raise LexError(max(at, 0), message) from None
        return _piece(tokens, len(prefix) - len(brackets), len(brackets), header and whole, column)
    raise LexError(0, "it closes too many blocks")


def _last_indent(body: str, margin: int) -> int:
    """What the last line that begins outside brackets may be indented by, at most."""
    return max([margin, *indents_below(body)])


def indents_below(body: str) -> list[int]:
    """What the lines after the first one are indented by. One that a backslash joins to the line above has no indent."""
    lines = body.split("\n")
    return [indent_width(line) for above, line in zip(lines, lines[1:], strict=False) if line.strip() and not above.endswith("\\")]


def _piece(tokens: Tokens, offset: int, brackets: int, header: bool, column: int) -> Piece:
    start = next((i for i, at in enumerate(tokens.starts) if at >= offset and tokens.keys[i] not in LAYOUT), len(tokens)) + brackets
    end = len(tokens)
    while end > start and tokens.keys[end - 1] in (DEDENT, NEWLINE):
        end -= 1
    if header:
        end -= 2  # the block start and the statement that stand for the block
    if end <= start:
        raise LexError(0, "it holds nothing")
    return Piece(tokens, start, end, column, header, brackets > 0)
