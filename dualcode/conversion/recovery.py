"""Recovery: the Python of one part of a reply that is SimPy, as far as the part can be read.

Where a part lies in a reply is decided by ``reply_stream``.
"""

from __future__ import annotations

import _ast
import re
from contextlib import suppress

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError, SimPySyntaxError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from transpiler import Decoder, decode
from transpiler.fragments import convert_fragment, fragment_statements, fragment_tree
from transpiler.magics import Marks, Side, is_kept, is_magic, read_cell
from transpiler.proof import same_tree

_LONGEST_MAGIC = 1000  # characters of a line of IPython after the fault
_MAYBE_MAGIC = re.compile(r"[\w.,*\[\]'\"= \t]*")  # what stands before the fault in such a line
_NEARLY = 1.2  # how many times as long as its shortest spelling a program may be and still count as compact


class SimPyPart:
    """A part of a reply that is SimPy; it arrives in pieces.

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

    >>> part = SimPyPart(Dialect.load("classic"))
    >>> part.feed("<return>a<l>"), part.feed("b?!"), part.feed("..."), part.close()
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
        self._given: list[str] = []
        self._fault: SimPySyntaxError | None = None  # what stands there may be a line of IPython
        self._is_cell = False  # it is, so that the rest is read at the end
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
        if self.dialect.is_python or self._fault is not None:
            self._remember(text, raw)
            return ("", "") if self._fault is None else self._settle(self._fault, final=False)
        if self._reader is None:
            text = self._without_base(text)
        self._remember(text, raw)
        if self._reader is None:
            return "", ""
        try:
            python = self._reader.feed(text)
        except SimPySyntaxError as error:
            self._fault = error
            return self._settle(error, final=False)
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
        if self._fault is None:
            try:
                self._waiting.append(self._reader.close())
            except SimPySyntaxError as error:
                self._fault = error
        if self._fault is not None:
            settled = self._settle(self._fault, final=True)
            return self._close_cell(self._fault, complete) if self._is_cell else settled
        if not (self.converted or self._shown()):
            python = "".join(self._waiting)
            if not complete or not self._has_effect(python) or self._is_python(python, self.raw.strip("\r\n")):
                self.failed_at = 0
                return "", self.raw
        self.converted = True
        return self._give(), ""

    @property
    def held(self) -> int:
        """How many characters wait for the end of the part, where they are converted at once."""
        return self._lengths[0] if (self.dialect.is_python or self._is_cell) and self.failed_at is None else 0

    @property
    def raw(self) -> str:
        """The text as received, as far as the part has read it."""
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
        if text:
            self._given.append(text)
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
        assert self._reader is not None  # noqa: S101  # only such a part fails
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
            python += (self._base + whole.feed("".join(self._content)[:at]) + whole.close())[sum(map(len, self._given)) :]
        except SimPySyntaxError:
            self.whole = False
            python += self._reader.held()
        rest = self.raw[self.failed_at :]
        return _ended(python, at_start, rest), rest.removeprefix("\n")

    def _settle(self, fault: SimPySyntaxError, *, final: bool) -> tuple[str, str]:
        """See whether the line that does not go on in SimPy is one of IPython's, as soon as it has arrived; if not, that is a fault."""
        assert self._reader is not None  # noqa: S101  # it has found the fault
        if self._is_cell:
            return "", ""
        text, at = "".join(self._content), self._reader.position
        self._content = [text]
        at += len(text[at:]) - len(text[at:].lstrip("\n"))  # the line may be the next one
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at, at + _LONGEST_MAGIC)
        if _MAYBE_MAGIC.fullmatch(text, start, at):
            if end < 0 and not final and len(text) < at + _LONGEST_MAGIC:
                return "", ""
            self._is_cell = is_magic(text[start : end if end >= 0 else at + _LONGEST_MAGIC].strip())
        return ("", "") if self._is_cell else self._fail(fault)

    def _close_cell(self, fault: SimPySyntaxError, complete: bool) -> tuple[str, str]:
        """Read the text again with its lines of IPython; if that does not help, it breaks off at the fault."""
        text = "".join(self._content)
        if is_kept(text):
            return self._fail(fault)
        marks = Marks(text, self.dialect, Dialect.load(PYTHON))
        marked = marks.mark(text, self.dialect)
        whole = Decoder(dialect=self.dialect, base=self._base)
        try:
            python = self._base + whole.feed(marked) + whole.close()
            written = marks.restore(python) + "\n"
        except SimPySyntaxError:
            return self._fail(fault)
        shown = self.converted or shows_simpy(marked, self.dialect)
        if not shown and (not complete or not self._has_effect(python) or self._is_python(python, marked.strip("\n"))):
            return self._fail(fault)
        given = "".join(self._given)
        if not written.startswith(given):
            return self._fail(fault)
        self.converted = True
        self._waiting = [written[len(given) :]]
        return self._give(), ""

    def _close_python(self) -> tuple[str, str]:
        """Lay compact Python out; Python that a model has laid out itself stays as it is."""
        text = "".join(self._content)
        self.failed_at = 0
        if is_kept(text):
            return "", self.raw
        python = Dialect.load(PYTHON)
        marks = Marks(text, self.dialect, python)
        try:
            written = marks.restore(read_cell(text, Side(self.dialect, self._laid_out), marks)[1])
        except SimPyError as error:
            self.error = error
            return "", self.raw
        if not written.strip():
            return "", self.raw
        self.converted, self.failed_at = True, None
        return written.removesuffix("\n") + "\n", ""

    def _laid_out(self, text: str) -> str:
        """Compact Python as people lay it out; empty if a model has laid it out itself, or it nests too deep."""
        try:
            if fragment_tree(text) is None:
                return ""
        except SyntaxError as error:
            raise PythonSyntaxError(error.msg or "invalid syntax", line=error.lineno, column=error.offset or 1) from None
        short = convert_fragment(text, target=self.dialect, verify=False)
        if len(text.strip()) > _NEARLY * len(short.strip()):
            return ""
        return convert_fragment(short, source=self.dialect, target=PYTHON)


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
    return any(piece.rstrip(" ") in specials for piece in reader.stream.texts)


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
