"""New code in the habits of a file: its indent, its width, its quotes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property, lru_cache

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_tokens import LexError
from transpiler.compact_style import STYLE
from transpiler.edits.structure import Clause, Item
from transpiler.edits.tokens import DEDENT, INDENT, STRING, Tokens
from transpiler.streams import Conversion

_WIDTHS = (79, 88, 100, 120)
_FEW = 40  # lines that are too few to tell a width from
_CLEAR = 0.997  # share of the lines that keep within a width to call it the file's
_PLAIN_STRING = re.compile(r"(?s)([bBuU]?)('{3}|\"{3}|['\"])([^'\"\\]*)\2\Z")
_OTHER = {"'": '"', '"': "'"}


class Style:
    """The habits of a file, each found when it is asked for: many edits print nothing."""

    def __init__(self, tokens: Callable[[], Tokens]) -> None:
        self._read = tokens

    @cached_property
    def _tokens(self) -> Tokens:
        return self._read()

    @cached_property
    def unit(self) -> str:
        """What a block is indented by."""
        return indent_unit(self._tokens)

    @cached_property
    def width(self) -> int:
        """The columns that lines of code keep within."""
        return line_width(self._tokens)

    def fits(self, line: str) -> bool:
        """Whether a line keeps within the width."""
        return len(line) <= _WIDTHS[0] or len(line) <= self.width

    @cached_property
    def quote(self) -> str:
        """The quote of short strings; empty if the file has both."""
        return usual_quote(self._tokens)


@lru_cache(maxsize=8)
def file_style(tokens: Tokens) -> Style:
    """The habits of a file."""
    return Style(lambda: tokens)


class Printer:
    """Prints parts of a program as parts of a file.

    Args:
        style: the habits of the file.
        text: the program that the parts are taken from, in the canonical layout.
    """

    def __init__(self, style: Style, text: str) -> None:
        self.style = style
        self._text = text

    @cached_property
    def printed(self) -> Tokens:
        """The whole program as the file would have it. Its tokens are those of the canonical layout, one for one."""
        return Tokens(laid_out(self._text, width=self.style.width, indent=self.style.unit))

    def items(self, first: Item, last: Item, indent: str) -> str:
        """The lines of some items of a block, whose lines are indented by ``indent``, without the last line break."""
        return self._lines(first.start, last.end, indent)

    def clause(self, clause: Clause, indent: str) -> str:
        """The lines of a clause, whose header is indented by ``indent``, without the last line break."""
        return self._lines(clause.start, clause.close, indent)

    def header(self, start: int, end: int, indent: str) -> str:
        """The tokens of a header, without its colon and without the blanks before it."""
        return self._lines(start, end, indent).lstrip(" \t")

    def blank_lines(self, item: Item) -> int:
        """How many blank lines the canonical layout has before an item."""
        before = self.printed.text[: self.printed.line_start(self.printed.starts[item.start])]
        return len(before) - len(before.rstrip("\n")) - 1 if before.strip("\n") else 0

    def token(self, text: str) -> str:
        """A new token, with the quotes that the file has."""
        match = _PLAIN_STRING.match(text)
        if match is None or len(match[2]) == 3 or self.style.quote in ("", match[2][0]):
            return text
        return f"{match[1]}{self.style.quote}{match[3]}{self.style.quote}"

    def _lines(self, start: int, end: int, indent: str) -> str:
        tokens = self.printed
        while end - 1 > start and tokens.starts[end - 1] == tokens.ends[end - 1]:
            end -= 1
        first = tokens.line_start(tokens.starts[start])
        last = max(tokens.tails.get(end - 1, 0), tokens.ends[end - 1])
        margin = tokens.text[first : tokens.starts[start]]
        strings = [(tokens.starts[i], tokens.ends[i]) for i in range(start, end) if tokens.keys[i] == STRING]
        out: list[str] = []
        at = first
        for string_start, string_end in (*strings, (last, last)):
            piece = tokens.text[at:string_start]
            out.append(_reindented(piece, margin, indent, first_line=at == first))
            out.append(self.token(tokens.text[string_start:string_end]))
            at = string_end
        return "".join(out)


def _reindented(text: str, margin: str, indent: str, *, first_line: bool) -> str:
    if margin == indent:
        return text
    head = indent + text.removeprefix(margin) if first_line else text
    return re.sub(rf"\n{re.escape(margin)}(?=[^\n])", f"\n{indent}", head)


def laid_out(text: str, *, width: int | None, indent: str = "    ") -> str:
    """A Python program in the canonical layout.

    Raises:
        PythonSyntaxError: it is not Python.
    """
    conversion = Conversion(Dialect.load(PYTHON), Dialect.load(PYTHON), width=width, indent=indent)
    return conversion.feed(text) + conversion.close()


def indent_unit(tokens: Tokens) -> str:
    """What a block of a file is indented by.

    >>> indent_unit(Tokens("if a:\\n  b\\n"))
    '  '
    """
    found: Counter[str] = Counter()
    outer = [""]
    for i, key in enumerate(tokens.keys):
        if key == INDENT:
            blanks = tokens.text[tokens.line_start(tokens.starts[i]) : tokens.starts[i]]
            inline = bool(blanks.strip(" \t\f"))
            if not inline and blanks.startswith(outer[-1]) and len(blanks) > len(outer[-1]):
                found[blanks[len(outer[-1]) :]] += 1
            outer.append(outer[-1] if inline else blanks)
        elif key == DEDENT and len(outer) > 1:
            outer.pop()
    return found.most_common(1)[0][0] if found else "    "


def is_indented_as_compact(text: str) -> bool:
    """Whether the blocks of a program are indented as those of ``compact``, which is not how people indent.

    >>> is_indented_as_compact("if a:\\n b\\n"), is_indented_as_compact("if a:\\n  b\\n"), is_indented_as_compact("x = 1\\n")
    (True, False, False)
    """
    try:
        return indent_unit(Tokens(text)) == STYLE.indent
    except LexError:
        return False


def line_width(tokens: Tokens) -> int:
    """The columns that the lines of code of a file keep within."""
    inside = bytearray(tokens.text.count("\n") + 2)  # whether a line begins inside a string
    for key, start, end in zip(tokens.keys, tokens.starts, tokens.ends, strict=True):
        if key == STRING and "\n" in tokens.text[start:end]:
            first, last = tokens.line(start), tokens.line(end)
            inside[first + 1 : last + 1] = b"\1" * (last - first)
    lengths = [
        len(line)
        for number, line in enumerate(tokens.text.split("\n"), 1)
        if not inside[number] and line.strip() and not line.lstrip().startswith("#")
    ]
    if max(lengths, default=0) <= _WIDTHS[0] and len(lengths) < _FEW:
        return 88  # too little to tell
    return next((width for width in _WIDTHS if sum(n <= width for n in lengths) >= _CLEAR * len(lengths)), _WIDTHS[-1])


def usual_quote(tokens: Tokens) -> str:
    """The quote that short strings of a file have; empty if it has both."""
    found: Counter[str] = Counter()
    for key, word in zip(tokens.keys, tokens.words, strict=True):
        match = _PLAIN_STRING.match(word, 7) if key == STRING else None
        if match is not None and len(match[2]) == 1:
            found[match[2]] += 1
    quote = max(found, key=found.__getitem__, default="")
    return quote if quote and found[quote] >= max(4, 0.8 * found.total()) else ""
