"""The same program spelled in other ways: spacing, brackets, comments, continuations, one-line blocks, line ends.

Every change keeps the text a program that the running Python reads (not always the same one: a target in parentheses is
another). Where programs come from is the job of ``tests.random_ast`` and of the sample files.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
import warnings
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tests.random_ast import is_python

COMMENTS = (
    "# c",
    "#",
    "#c  ",
    "# <def_stmt>",
    "# <comment>",
    "#<block_end><line_sep>",
    "# 'a",
    '# """',
    "# é",
    "#\tx",
    "# \\",
    "# <debug>",
    "##{}",
)


class Piece(NamedTuple):
    """A token with the space before it.

    Attributes:
        gap: the text between the token before and this one.
        text: the token; an f-string is one.
        depth: how many brackets are open before it.
        ends_line: whether it is the line break at the end of a statement or of a header.
        starts_line: whether it is the first token of its line.
    """

    gap: str
    text: str
    depth: int
    ends_line: bool
    starts_line: bool


def _tree(source: str) -> ast.Module:
    """The tree of a program; what CPython warns of, such as ``2.or 3``, is the program's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def pieces(source: str) -> list[Piece]:
    """The tokens of a program that this Python reads; the gaps and texts join to the program."""
    starts = list(itertools.accumulate((len(line) for line in source.splitlines(keepends=True)), initial=0))
    found: list[Piece] = []
    at = depth = fstrings = opened = 0
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        name = tokenize.tok_name[token.type]
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if name in ("FSTRING_START", "TSTRING_START"):
            fstrings += 1
            opened = start if fstrings == 1 else opened
        elif name in ("FSTRING_END", "TSTRING_END"):
            fstrings -= 1
            start = opened
        if fstrings:
            continue
        if start < at or end > len(source):  # the line break that the tokenizer adds at the end of the text
            continue
        depth -= token.string in (")", "]", "}") and token.type == tokenize.OP
        found.append(Piece(source[at:start], source[start:end], depth, token.type == tokenize.NEWLINE, fresh))
        depth += token.string in ("(", "[", "{") and token.type == tokenize.OP
        fresh = token.type in (tokenize.NEWLINE, tokenize.NL)
        at = end
    found.append(Piece(source[at:], "", 0, False, fresh))
    return found


def join(parts: list[Piece]) -> str:
    """The text of some pieces."""
    return "".join(piece.gap + piece.text for piece in parts)


def commented(source: str, comment: str = "# comment") -> Iterator[str]:
    """The program with one more comment, once for each token boundary where Python allows one."""
    parts = pieces(source)
    for i, piece in enumerate(parts):
        before = "".join(p.gap + p.text for p in parts[:i])
        after = "".join(p.gap + p.text for p in parts[i + 1 :])
        if piece.depth or (i and parts[i - 1].depth and piece.text in (")", "]", "}")):
            yield f"{before}  {comment}\n{piece.gap}{piece.text}{after}"
            yield f"{before}\n{comment}\n{piece.gap}{piece.text}{after}"
        elif piece.text in (")", "]", "}"):
            yield f"{before}  {comment}\n{piece.gap}{piece.text}{after}"
        if piece.ends_line:
            yield f"{before}{piece.gap}  {comment}{piece.text}{after}"
        if piece.starts_line and not piece.depth:
            indent = piece.gap.rpartition("\n")[2]
            for space in dict.fromkeys((indent, "", indent + "  ")):
                yield f"{before}{space}{comment}\n{piece.gap}{piece.text}{after}"


def respell(source: str, random: Random) -> str:
    """The program with another layout."""
    for change in (_parentheses, _one_line_blocks, _gaps, _lines, _indents, _ends):
        if random.random() < 0.5:
            changed = change(source, random)
            if is_python(changed):
                source = changed
    return source


def _parentheses(source: str, random: Random) -> str:
    """Put some expressions in parentheses, as far as each is still Python."""
    lines = [0, *(match.end() for match in re.finditer("\n", source))]
    encoded = source.split("\n")

    def offset(row: int, column: int) -> int:
        return lines[row - 1] + len(encoded[row - 1].encode()[:column].decode())

    nodes = [node for node in ast.walk(_tree(source)) if isinstance(node, ast.expr)]
    for node in sorted(random.sample(nodes, min(len(nodes), 3)), key=lambda node: -node.col_offset):
        if node.end_lineno is None or node.end_col_offset is None:
            continue
        try:
            start, end = offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)
        except (IndexError, UnicodeDecodeError):  # Python 3.11 places what is inside an f-string loosely
            continue
        changed = f"{source[:start]}({source[start:end]}){source[end:]}"
        if is_python(changed):
            return changed
    return source


def _one_line_blocks(source: str, random: Random) -> str:
    """Put some blocks of simple statements on the line of their header, and some simple statements on one line."""
    lines = source.split("\n")
    for i in range(len(lines) - 1, 0, -1):
        above, line = lines[i - 1], lines[i]
        if random.random() < 0.5 or not line.strip() or not above.strip():
            continue
        depths = [len(text) - len(text.lstrip()) for text in (above, line)]
        joint = "; " if depths[0] == depths[1] else " " if above.endswith(":") and depths[1] > depths[0] else None
        if joint is not None:
            changed = "\n".join([*lines[: i - 1], above + joint + line.lstrip(), *lines[i + 1 :]])
            if is_python(changed):
                lines = changed.split("\n")
    return "\n".join(lines)


def _gaps(source: str, random: Random) -> str:
    """Change the space between tokens: none, more, line breaks and comments inside brackets, backslashes outside."""
    parts = pieces(source)
    for i in range(1, len(parts)):
        piece, before = parts[i], parts[i - 1]
        if piece.starts_line or piece.ends_line or random.random() < 0.7:
            continue
        inside = piece.depth and before.depth
        word = re.match(r"\w|['\"]", piece.text[-1:] + piece.text[:1]) and re.search(r"[\w'\"]$", before.text)
        gaps = ["  ", "\t", " \\\n", "\\\n  "]
        if inside:
            gaps += [
                "\n",
                "\n\n      ",
                f"  {random.choice(COMMENTS)}\n",
                f"\n   {random.choice(COMMENTS)}\n ",
                f" {random.choice(COMMENTS)}\n\n  # two\n",
            ]
        if not word:
            gaps.append("")
        parts[i] = piece._replace(gap=random.choice(gaps))
    return join(parts)


def _lines(source: str, random: Random) -> str:
    """Add blank lines, comments on lines of their own at any depth, and comments at the ends of lines."""
    parts = pieces(source)
    for i, piece in enumerate(parts):
        if random.random() < 0.7:
            continue
        if piece.ends_line and not parts[i - 1].text.startswith("#"):
            parts[i] = piece._replace(gap=f"{random.choice(('', '  '))}{random.choice(COMMENTS)}")
        elif piece.starts_line and not piece.depth:
            above = random.choice(
                (
                    "\n",
                    "\n\n",
                    "  \n",
                    "\f\n",
                    f"{random.choice(COMMENTS)}\n",
                    f"{piece.gap}{random.choice(COMMENTS)}\n",
                    f"      {random.choice(COMMENTS)}\n\n",
                )
            )
            parts[i] = piece._replace(gap=above + piece.gap)
    return join(parts)


def _indents(source: str, random: Random) -> str:
    """Indent with tabs, with one space, or with eight."""
    unit = random.choice(("\t", " ", "        "))
    parts = pieces(source)
    for i, piece in enumerate(parts):
        if piece.starts_line and not piece.depth:
            *above, own = piece.gap.split("\n")
            if not own.strip(" "):
                parts[i] = piece._replace(gap="\n".join([*above, unit * (len(own) // 4)]))
    return join(parts)


def _ends(source: str, random: Random) -> str:
    """Change how the text begins and ends, and its line ends."""
    source = random.choice(("", "", "\n", "\f", "\ufeff", "# -*- coding: utf-8 -*-\n", "\\\n")) + source
    source = source.rstrip("\n") + random.choice(("", "\n", "\n\n", "  # end", "\n  # end", ";", "\n\\\n"))
    return source.replace("\n", random.choice(("\n", "\n", "\r\n", "\r")))
