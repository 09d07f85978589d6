"""The errors of the toolchain: one root, and below it one class for each thing that can go wrong with a program.

Every error says where (path, line, column), shows the line with a caret, and says what to do. The command line prints
``str(error)`` and nothing else.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence
    from typing import TypeVar

    from simpy_grammar.candidates import Candidate

    Made = TypeVar("Made", bound="SimPyError")


_HIDDEN = "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
"""What may do something to a terminal or change how a line reads, and shows nothing itself: control characters but the tab and the
line feed, marks of direction, characters without width, halves of surrogate pairs."""


def os_reason(error: OSError) -> str:
    """What an error of the operating system says, as our messages say it: without the path, and in lower case.

    >>> os_reason(FileNotFoundError(2, "No such file or directory", "a.py")), os_reason(OSError("Not a gzipped file"))
    ('no such file or directory', 'not a gzipped file')
    """
    reason = error.strerror or str(error) or type(error).__name__
    return reason[:1].lower() + reason[1:]


def visible(text: str, *, in_line: bool = True) -> str:
    r"""A text from outside as a person may see it: what would act on a terminal is written as an escape sequence of Python.

    Args:
        text: the text.
        in_line: whether it is part of one line; then tabs and line feeds are escaped too.

    >>> print(visible("a\x1b[31m\u202e.py"))
    a\x1b[31m\u202e.py
    """
    if text.isprintable():
        return text
    import re  # rarely needed

    text = re.sub(_HIDDEN, _escape, text)
    return text.replace("\n", "\\n").replace("\t", "\\t") if in_line else text


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return "\\r" if match[0] == "\r" else f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class SimPyError(Exception):
    """The root of all errors that this toolchain raises on purpose.

    Attributes:
        message: what is wrong, in one line.
        path: the file, or ``None`` for text that came from no file.
        line: line number, from 1, or ``None`` where no position applies.
        column: column in characters, from 1.
        source_line: the line itself, without its line break.
        hint: what to do about it, or an empty string.

    >>> print(PythonSyntaxError("invalid syntax", line=1, column=3, source_line="x ="))
    <text>:1:3: error: invalid syntax
      x =
        ^
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int = 1,
        source_line: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.source_line = source_line
        self.hint = hint

    @classmethod
    def at(cls: type[Made], text: str, offset: int, message: str, *, path: str | None = None, hint: str = "") -> Made:
        """The error at a character offset into a text.

        >>> PythonSyntaxError.at("a\\nbcd", 3, "invalid syntax").location
        '<text>:2:2'
        """
        offset = min(max(offset, 0), len(text))
        start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
        source_line = text[start : end if end >= 0 else len(text)]
        return cls(message, path=path, line=text.count("\n", 0, offset) + 1, column=offset - start + 1, source_line=source_line, hint=hint)

    @property
    def location(self) -> str:
        """``path:line:column``, or as much of it as is known."""
        where = visible(self.path or "<text>")
        return where if self.line is None else f"{where}:{self.line}:{self.column}"

    def __str__(self) -> str:
        lines = [f"{self.location}: error: {visible(self.message, in_line=False)}"]
        if self.line is not None:
            lines += _excerpt(self.source_line, self.column)
        if self.hint:
            lines.append(f"hint: {visible(self.hint, in_line=False)}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != "message"}
        return (_rebuild, (type(self), self.message, state))


def _rebuild(cls: type[SimPyError], message: str, state: dict[str, object]) -> SimPyError:
    error = cls(message)
    error.__dict__.update(state)
    return error


class PythonSyntaxError(SimPyError):
    """The Python text is not a Python program."""


class SimPySyntaxError(SimPyError):
    """The SimPy text is not a program of its dialect."""


class UnsupportedSyntaxError(SimPyError):
    """Valid Python that the grammar has no rule for."""


class RoundTripError(SimPyError):
    """The converted program is not the same program. This is a bug of the toolchain, never of the input."""


class DialectError(SimPyError):
    """A dialect that does not exist, cannot be read, or would make the language ambiguous."""


class EditError(SimPyError):
    """An edit that cannot be made. Nothing has been written."""


class PlaceError(EditError):
    """The piece of a program that an edit is to change does not stand in the file, or stands there more than once.

    Attributes:
        candidates: the places that may be meant, if there are several.
    """

    candidates: tuple[Candidate, ...] = ()

    @classmethod
    def among(cls, candidates: Sequence[Candidate], message: str, *, hint: str = "") -> PlaceError:
        """The error for a piece that may be at several places, which the caller names in the message as far as it may."""
        error = cls(message, hint=hint)
        error.candidates = tuple(candidates)
        return error


class ConflictError(EditError):
    """What an edit is to change has been changed since, or was not seen."""


class PatchError(SimPyError):
    """A patch that cannot be read. Path, line, column and source line are those of the patch itself."""


class BackendError(SimPyError):
    """A model, tokenizer or server that the toolchain drives has failed."""


_WIDTH = 100  # characters of a source line that an error shows


def _excerpt(source_line: str, column: int) -> list[str]:
    first = max(0, column - 1 - _WIDTH // 2) if len(source_line) > _WIDTH else 0
    shown = source_line[first : first + _WIDTH].rstrip("\n")
    shown = "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in shown)
    blank = "".join("\t" if c == "\t" else " " for c in shown[: column - 1 - first])
    return [f"  {shown}", f"  {blank}^"]
