"""Decoding in the layout of a person's text: how the text indents, and where a prompt ends in the laid out program.

``completion`` and ``fill_in_the_middle`` make of it an answer that joins on to the prompt.
"""

from __future__ import annotations

import re

from simpy_grammar.dialect import Dialect
from transpiler import Decoder

REDUNDANT = frozenset(",;\\()")
"""Characters that Python text may hold more often than the laid out program."""
_UNIT = "    "
_PIECE = re.compile(
    r"(?P<text>\"{3}[\s\S]*?(?:\"{3}|\Z)|'{3}[\s\S]*?(?:'{3}|\Z)"
    r"|\"[^\"\\\n]*(?:\\[\s\S][^\"\\\n]*)*\"?|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'?)"
    r"|(?P<layout>#[^\n]*|\\\n|[ \t\f]+)|(?P<line>\n)|(?P<open>[(\[{])|(?P<close>[)\]}])|\w+|[\s\S]"
)


def user_decoder(dialect: Dialect, text: str) -> Decoder:
    """A decoder that indents as some text does and breaks no lines.

    >>> decoder = user_decoder(Dialect.load("classic"), "  if a:\\n     b = 1\\n")
    >>> decoder.feed("<if_stmt>a<block_start>b()<block_end>") + decoder.close()
    'if a:\\n     b()\\n'
    """
    first = next((line for line in text.split("\n") if line.strip()), "")
    return Decoder(dialect=dialect, width=None, indent=indent_unit(text), base=indent_of(first))


def laid_out(dialect: Dialect, text: str, simpy: str) -> str:
    """What the beginning of a program says, in the layout of some text, including what is not settled yet.

    What is not settled stands as in the SimPy, without a blank before it.

    Raises:
        SimPySyntaxError: it is not the beginning of a program.

    >>> laid_out(Dialect.load("classic"), "", "x=a+"), laid_out(Dialect.load("classic"), "", "x=a+b")
    ('x = a +', 'x = a +b')
    """
    decoder = user_decoder(dialect, text)
    settled = decoder.feed(simpy)
    return settled + decoder.held() + decoder.pending


class Join:
    """Finds where the text of a prompt ends in the laid out program, and joins what follows.

    Attributes:
        strayed: the program goes on in another way than the prompt.
        left_open: number of parentheses that are open in the prompt and that the program does not have.
        last_indent: indentation of the last line of the prompt.

    >>> Join("if a:\\n  b = ").take("if a:\\n    b = c")
    'c'
    """

    def __init__(self, prompt: str) -> None:
        self._tail = prompt[len(prompt.rstrip()) :]
        self._wanted = "".join(prompt.removeprefix("\ufeff").split())
        self._at = 0
        self._blanks = ""  # blanks of the program since the last character that the prompt has too
        self._space: str | None = None  # what stands between prompt and answer, until the answer begins
        self._begun = False
        self.strayed = False
        self.left_open = 0
        self.last_indent = self._tail.rpartition("\n")[2] if "\n" in self._tail else indent_of(prompt.rpartition("\n")[2])

    def unread(self, python: str) -> str | None:
        """What the prompt says beyond a program, blanks aside; ``None`` if the program says anything else.

        >>> Join("x = [a,\\n").unread("x = [a"), Join("x = ").unread("x = a")
        (',', None)
        """
        rest = self._skip(python)
        return None if self.strayed or rest.strip() else self._wanted[self._at :]

    def take(self, python: str) -> str:
        """What of the program comes after the prompt."""
        if self._begun:
            return python
        if self._space is None:
            rest = self._skip(python)
            if self.strayed:
                self._begun = True
                return rest
            if self._at < len(self._wanted):
                return ""
            self._space, python = "", rest
        body = python.lstrip(" \n\t")
        self._space += python[: len(python) - len(body)]
        if not body:
            return ""
        self._begun = True
        return self._joint(self._space) + body

    def _skip(self, python: str) -> str:
        """Match the program with the prompt, blanks aside; return what is left of the program."""
        wanted, at = self._wanted, self._at
        for i, char in enumerate(python):
            if at == len(wanted):
                self._at = at
                return python[i:]
            if char.isspace():
                self._blanks += char
                continue
            while at < len(wanted) and wanted[at] != char and wanted[at] in REDUNDANT:
                self.left_open += (wanted[at] == "(") - (wanted[at] == ")")
                at += 1
            if at == len(wanted):
                self._at = at
                return ("\n" if wanted[-1] == ";" else self._blanks) + python[i:]
            if wanted[at] != char:
                self._at, self.strayed = at, True
                return python[i:]
            at += 1
            self._blanks = ""
        self._at = at
        return ""

    def _joint(self, space: str) -> str:
        """The blanks between prompt and answer that the prompt does not end with already."""
        tail = self._tail
        if not self._wanted:
            return ""
        if "\n" not in space:
            return space.removeprefix(tail) if space.startswith(tail) else ""
        if "\n" not in tail:
            return space
        have, indent = tail.rpartition("\n")[2], space.rpartition("\n")[2]
        if not indent.startswith(have):
            return "\n" + indent
        missing = 0 if have else max(space.count("\n") - tail.count("\n"), 0)
        return "\n" * missing + indent[len(have) :]


def indent_unit(text: str) -> str:
    """How a text indents by one level.

    >>> indent_unit("if a:\\n  b\\n"), indent_unit("x = {\\n 1:\\n   2}\\nif a and \\\\\\n   b:\\n  c\\n")
    ('  ', '  ')
    """
    brackets, start, last = 0, 0, ""  # ``last``: the last word of the line
    header: str | None = None  # what the line before is indented by, if a block follows it
    indent: str | None = None  # what this line is indented by, once it has begun
    for match in _PIECE.finditer(text):
        kind = match.lastgroup
        if kind == "line" and not brackets:
            if indent is not None:
                header = indent if last == ":" else None
            indent, start = None, match.end()
        elif kind not in ("layout", "line"):
            if indent is None:
                indent = indent_of(text[start : match.start()])
                if header is not None and len(indent) > len(header) and indent.startswith(header):
                    return indent[len(header) :]
            brackets = max(0, brackets + (kind == "open") - (kind == "close"))
            last = match[0]
    return _UNIT


def indent_of(line: str) -> str:
    """What a line is indented by."""
    return line[: len(line) - len(line.lstrip(" \t"))]
