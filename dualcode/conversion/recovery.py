"""Recovery: the Python of one piece of SimPy that a model writes, as far as the piece can be read.

Where a piece lies in a text is decided by ``reply_stream``.
"""

from __future__ import annotations

import _ast
import re

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from transpiler import Decoder, decode, encode
from transpiler.proof import parse_tree

_SPECIAL = re.compile(
    r"\"\"\"[\s\S]*?(?:\"\"\"|$)|'''[\s\S]*?(?:'''|$)|\"(?:[^\"\\\n]|\\[\s\S])*(?:\"|$)|'(?:[^'\\\n]|\\[\s\S])*(?:'|$)|\\[\s\S]|#[^\n]*|(?P<special><[a-z_]+>)"
)
_NEARLY = 1.2  # how many times as long as its shortest spelling a program may be and still count as compact


class SimPyPiece:
    """SimPy that arrives in pieces.

    ``feed`` and ``close`` give two texts each: Python, and what stands as received. The Python is that of the longest valid
    beginning; the rest follows it. The whole text stands as received where nothing shows that it is SimPy: as long as no
    special token of the dialect was read, a text that fails may as well be Python, or something else that a model put there.

    Attributes:
        converted: the text has been converted, as far as ``failed_at``.
        error: why the rest was not converted, or ``None``.
        failed_at: offset of the rest in the text as received, or ``None``.
        whole: what was converted is a program, not the beginning of one.
        has_text: more than blanks has been read.

    >>> piece = SimPyPiece(Dialect.load("classic"))
    >>> piece.feed("<return>a<l>"), piece.feed("b?!"), piece.feed("..."), piece.close()
    (('return a <', ''), (' b\\n', '?!'), ('', '...'), ('', ''))
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.converted = False
        self.error: SimPyError | None = None
        self.failed_at: int | None = None
        self.whole = True
        self.has_text = False
        self._reader = None if dialect.is_python else Decoder(dialect=dialect)
        self._specials = frozenset(dialect.special_tokens)
        self._content: list[str] = []
        self._raw: list[str] = []
        self._lengths = [0, 0]  # of the content and of the raw text
        self._shifts: list[tuple[int, int]] = [(0, 0)]  # where the two run apart: offsets in content and raw text
        self._waiting: list[str] = []  # Python that is given as soon as something shows that the text is SimPy
        self._given = 0
        self._at_start = True  # whether what has been given ends its line

    def lead(self, raw: str) -> None:
        """Take note of what stands before the SimPy; it is given only if the text stands as received."""
        self._remember("", raw)

    def feed(self, text: str, raw: str | None = None) -> tuple[str, str]:
        """Read more of the text; ``raw`` is the text as received, where that differs."""
        raw = text if raw is None else raw
        if self.failed_at is not None:
            if not self.converted:
                self._raw.append(raw)  # whether it is Python is seen at the end
            return "", raw
        self._remember(text, raw)
        if self._reader is None:
            return "", ""
        try:
            python = self._reader.feed(text)
        except SimPySyntaxError as error:
            return self._fail(error)
        self._waiting.append(python)
        if not self.converted and ">" in text:
            self.converted = self._shown()
        return self._give(), ""

    def close(self, complete: bool = True) -> tuple[str, str]:
        """Read the end of the text. It is not ``complete`` if it was cut off."""
        if self.failed_at is not None:
            return "", ""
        if not self.raw.strip() or (self._reader is None and not complete):
            self.failed_at = 0
            return "", self.raw
        if self._reader is None:
            return self._close_python()
        try:
            self._waiting.append(self._reader.close())
        except SimPySyntaxError as error:
            return self._fail(error)
        if not (self.converted or self._shown() or (complete and self._has_effect())):
            self.failed_at = 0
            return "", self.raw
        self.converted = True
        return self._give(), ""

    @property
    def raw(self) -> str:
        """The text as received, as far as the piece has read it."""
        return "".join(self._raw)

    def _remember(self, text: str, raw: str) -> None:
        if len(text) != len(raw):
            # What was taken from the raw text is its beginning: the indent of a line.
            self._shifts.append((self._lengths[0], self._lengths[1] + len(raw) - len(text)))
        self._content.append(text)
        self._raw.append(raw)
        self.has_text = self.has_text or bool(raw.strip())
        self._lengths[0] += len(text)
        self._lengths[1] += len(raw)

    def _give(self) -> str:
        if not self.converted:
            return ""
        text = "".join(self._waiting)
        self._waiting.clear()
        self._given += len(text)
        if text:
            self._at_start = text.endswith("\n")
        return text

    def _has_effect(self) -> bool:
        """Whether no statement is a mere row of values: SimPy reads `print "a"`, and words in general, as one."""
        try:
            tree = parse_tree("".join(self._waiting))
        except SyntaxError:
            return False
        return not any(isinstance(node, _ast.Expr) and isinstance(node.value, _ast.Tuple) for node in getattr(tree, "body", ()))

    def _shown(self) -> bool:
        """Whether the parser has read a special token that stands in no string and no comment."""
        text = "".join(self._content)[: self._reader.position if self._reader else 0]
        return any(match["special"] in self._specials for match in _SPECIAL.finditer(text) if match["special"])

    def _fail(self, error: SimPySyntaxError) -> tuple[str, str]:
        """Give what was understood, laid out, and the rest as received."""
        assert self._reader is not None  # noqa: S101  # only such a piece fails
        self.error = error
        at = self._reader.position
        if not (self.converted or self._shown()):
            self.failed_at = 0
            return "", self.raw
        self.converted = True
        self.failed_at = max(raw + at - content for content, raw in self._shifts if content <= at)
        at_start = self._at_start
        python = self._give()
        try:
            python += decode("".join(self._content)[:at], dialect=self.dialect)[self._given :]
        except SimPySyntaxError:
            self.whole = False
            python += self._reader.held()
        rest = self.raw[self.failed_at :]
        return _ended(python, at_start, rest), rest.removeprefix("\n")

    def _close_python(self) -> tuple[str, str]:
        """Lay compact Python out; Python that a model has laid out itself stays as it is."""
        text = "".join(self._content)
        self.failed_at = 0
        try:
            if parse_tree(text) is None:
                return "", self.raw
            short = encode(text, dialect=self.dialect, verify=False)
            if len(text.strip()) > _NEARLY * len(short.strip()):
                return "", self.raw
            python = decode(short, dialect=self.dialect)
        except SyntaxError as error:
            self.error = SimPySyntaxError(error.msg or "invalid syntax", line=error.lineno, column=error.offset or 1)
            return "", self.raw
        except SimPyError as error:
            self.error = error
            return "", self.raw
        self.converted, self.failed_at = True, None
        return python, ""


def _ended(python: str, at_start: bool, rest: str) -> str:
    """Python that ends its line before the rest; ``at_start`` tells whether what was given before ends one."""
    if python.endswith("\n") or not rest or (at_start and not python):
        return python
    return python + "\n"


def spells_breaks(dialect: Dialect) -> bool:
    """Whether line breaks are tokens of a dialect.

    >>> spells_breaks(Dialect.load("dense-newline")), spells_breaks(Dialect.load("dense"))
    (True, False)
    """
    return any("\n" in text for texts in dialect.spellings.values() for text in texts)
