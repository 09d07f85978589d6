"""Recovery: the Python of one piece of SimPy that a model writes, as far as the piece can be read.

Where a piece lies in a text is decided by ``reply_stream``.
"""

from __future__ import annotations

import _ast
from contextlib import suppress

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from transpiler import Decoder, decode
from transpiler.fragments import convert_fragment, fragment_statements, fragment_tree
from transpiler.proof import same_tree

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
        ambiguous: the text stands as received since it is Python as well, and another program.

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
        self.ambiguous = False
        self._reader: Decoder | None = None
        self._base = ""  # what the first line is indented by, and so all lines of the Python
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
        if self.dialect.is_python:
            self._remember(text, raw)
            return "", ""
        if self._reader is None:
            text = self._without_base(text)
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
        if not self.raw.strip() or (self.dialect.is_python and not complete):
            self.failed_at = 0
            return "", self.raw
        if self.dialect.is_python:
            return self._close_python()
        assert self._reader is not None  # noqa: S101  # it has read more than blanks
        try:
            self._waiting.append(self._reader.close())
        except SimPySyntaxError as error:
            return self._fail(error)
        if not (self.converted or self._shown()):
            python = "".join(self._waiting)
            if not complete or not self._has_effect(python) or self._is_python(python, self.raw.strip("\r\n")):
                self.failed_at = 0
                return "", self.raw
        self.converted = True
        return self._give(), ""

    @property
    def raw(self) -> str:
        """The text as received, as far as the piece has read it."""
        return "".join(self._raw)

    def _without_base(self, text: str) -> str:
        """Take the indentation of a fragment off its first line; open the reader where that ends."""
        body = text.lstrip(" \t")
        self._base += text[: len(text) - len(body)]
        if body:
            self._reader = Decoder(dialect=self.dialect, base=self._base)
            self._waiting.append(self._base)
        return body

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

    def _has_effect(self, python: str) -> bool:
        """Whether no statement is a mere row of values: SimPy reads `print "a"`, and words in general, as one."""
        try:
            statements = fragment_statements(python)
        except SyntaxError:
            return False
        return not any(isinstance(node, _ast.Expr) and isinstance(node.value, _ast.Tuple) for node in statements)

    def _compare_beginning(self, at: int) -> None:
        """See whether the lines before a fault are Python as they stand and another program as SimPy."""
        text = "".join(self._content)
        if "\n" not in (text[at - 1 : at], text[at : at + 1]):
            return
        begun = text[:at].strip("\n")
        with suppress(SimPySyntaxError):
            self._is_python(decode(begun, dialect=self.dialect), begun)

    def _is_python(self, python: str, simpy: str) -> bool:
        """Whether SimPy is Python as it stands, and another program; that is noted."""
        if not is_other_python(python, simpy, self.dialect):
            return False
        self.ambiguous = True
        self.error = SimPySyntaxError("it is Python as it stands, and another program in this dialect")
        return True

    def _shown(self) -> bool:
        """Whether the parser has read a special token that stands in no string and no comment."""
        return shows_simpy("".join(self._content), self.dialect)

    def _fail(self, error: SimPySyntaxError) -> tuple[str, str]:
        """Give what was understood, laid out, and the rest as received."""
        assert self._reader is not None  # noqa: S101  # only such a piece fails
        self.error = error
        at = self._reader.position
        if not (self.converted or self._shown()):
            self.failed_at = 0
            self._compare_beginning(at)
            return "", self.raw
        self.converted = True
        self.failed_at = max(raw + at - content for content, raw in self._shifts if content <= at)
        at_start = self._at_start
        python = self._give()
        try:
            whole = Decoder(dialect=self.dialect, base=self._base)
            python += (self._base + whole.feed("".join(self._content)[:at]) + whole.close())[self._given :]
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
            if fragment_tree(text) is None:
                return "", self.raw
            short = convert_fragment(text, target=self.dialect, verify=False)
            if len(text.strip()) > _NEARLY * len(short.strip()):
                return "", self.raw
            python = convert_fragment(short, source=self.dialect, target=PYTHON).removesuffix("\n") + "\n"
        except SyntaxError as error:
            self.error = SimPySyntaxError(error.msg or "invalid syntax", line=error.lineno, column=error.offset or 1)
            return "", self.raw
        except SimPyError as error:
            self.error = error
            return "", self.raw
        self.converted, self.failed_at = True, None
        return python, ""


def shows_simpy(text: str, dialect: Dialect) -> bool:
    """Whether the beginning of a program has a special token that stands in no string and no comment.

    >>> shows_simpy("<return>a", Dialect.load("classic")), shows_simpy("'<return>'", Dialect.load("classic"))
    (True, False)
    """
    if ">" not in text:
        return False
    reader = SimPyReader(dialect)
    with suppress(StuckError):  # what stands before the fault counts
        reader.feed(text)
    specials = frozenset(dialect.special_tokens)
    return any(piece in specials for piece in reader.stream.texts)


def is_other_python(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether SimPy without a special token is Python as it stands, and another program than it is in SimPy.

    >>> classic = Dialect.load("classic")
    >>> is_other_python("f(a, -b)", "f(a -b)", classic), is_other_python("x = 1", "x=1", classic)
    (True, False)
    """
    if dialect.is_python or shows_simpy(simpy, dialect):
        return False
    try:
        read, meant = (fragment_tree(text.replace("\r\n", "\n")) for text in (simpy, python))
    except SyntaxError:
        return False
    return read is not None and meant is not None and not same_tree(read, meant)


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
