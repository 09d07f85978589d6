"""Text in which some parts are Python, such as a message of a chat: these parts to SimPy and back, the rest byte for byte.

Which lines are fences is told by ``dualcode.fences``, what becomes of a broken piece of SimPy by ``dualcode.salvage``; messages
and their roles are the business of ``dualcode.messages``.
"""

from __future__ import annotations

import _ast
import re
from dataclasses import dataclass
from pathlib import Path

from dualcode.fences import Fence, Prose, may_open
from dualcode.salvage import SimPyPiece
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from transpiler import encode
from transpiler.source import read_source
from transpiler.trees import parse_tree

ON_ERROR = ("pass", "raise")


@dataclass(frozen=True)
class Note:
    """A part that could not be converted and stands as it came.

    Attributes:
        line: the line of the text where the part begins, from 1.
        reason: why, without any of the text.
        partial: the beginning of the part was converted, and only the rest stands as it came.
    """

    line: int
    reason: str
    partial: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {'the rest ' if self.partial else ''}not converted: {self.reason}"


@dataclass(frozen=True)
class Converted:
    """A converted text.

    Attributes:
        text: the text.
        notes: the parts that could not be converted.
        parts: how many parts were converted.
    """

    text: str
    notes: tuple[Note, ...] = ()
    parts: int = 0


class PythonCode(str):
    """A text that is Python as a whole: how a caller marks the content of a file or the result of a tool.

    >>> MixedText("classic").to_model(PythonCode("x = 1")).text
    'x=1'
    """

    __slots__ = ()


class MixedText:
    """Converts the Python in mixed text, and nothing else.

    Converted are fenced blocks that are marked ``python`` or ``py`` (and, on the way back, ``simpy``). Everything else stays byte
    for byte: prose, inline code, other languages, diffs, blocks that do not end, and blocks that do not parse. The same text
    always gives the same bytes, and text that has been converted is not converted again.

    Args:
        dialect: what the model reads and writes.
        bare: convert code outside of fences too: to the model, a text that is Python as a whole; to the person, SimPy at the
            start of the text or at a line that starts with a special token, if the dialect does not spell with line breaks.
        on_error: ``"pass"`` to leave what cannot be converted as it is, with a note; ``"raise"`` to raise the error.
        verify: prove that each block survives the way to SimPy and back before it is replaced.

    Raises:
        DialectError: there is no such dialect.

    >>> mixed = MixedText("classic")
    >>> mixed.to_model("Why?\\n```py\\nif a < b:\\n    c = 1\\n```\\n").text
    'Why?\\n```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```\\n'
    >>> mixed.to_person(_.text if False else "```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```").text
    '```py\\nif a < b:\\n    c = 1\\n```'
    """

    def __init__(self, dialect: str | Path | Dialect, *, bare: bool = False, on_error: str = "pass", verify: bool = True) -> None:
        if on_error not in ON_ERROR:
            raise ValueError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
        self.dialect = Dialect.load(dialect)
        self.bare = bare
        self.on_error = on_error
        self.verify = verify

    def to_model(self, text: str) -> Converted:
        """Python to SimPy, in the text that a person or a program sends.

        Raises:
            PythonSyntaxError: a block marked as Python is not, and ``on_error`` is ``"raise"``.
        """
        if isinstance(text, PythonCode):
            return self.code_to_model(text)
        out: list[str] = []
        notes: list[Note] = []
        parts = number = 0
        prose = Prose()
        lines = text.splitlines(keepends=True) if text.isascii() and not _ODD_BREAKS.search(text) else _lines(text)
        fenced = False
        while number < len(lines):
            line = lines[number]
            number += 1
            out.append(line)
            fence = prose.opens(line)
            if fence is None:
                continue
            fenced = True
            start = number
            while number < len(lines) and not fence.closes(lines[number]):
                number += 1
            block = lines[start:number]
            if number == len(lines) or not fence.is_python:
                out += block
            else:
                simpy = self._block(fence, block, start + 1, notes)
                parts += simpy is not None
                out += block if simpy is None else [simpy]
            if number < len(lines):
                out.append(lines[number])
                number += 1
        if self.bare and not fenced and _is_program(text):
            return self.code_to_model(text)
        return Converted("".join(out), tuple(notes), parts)

    def code_to_model(self, text: str) -> Converted:
        """A text that is Python as a whole to SimPy.

        Raises:
            PythonSyntaxError: it is not, and ``on_error`` is ``"raise"``.
        """
        notes: list[Note] = []
        simpy = self._encode(text, 1, notes)
        return Converted(str(text) if simpy is None else simpy, tuple(notes), int(simpy is not None))

    def to_person(self, text: str) -> Converted:
        """SimPy to Python, in the text that a model sends.

        Raises:
            SimPySyntaxError: a part is SimPy that breaks off or is malformed, and ``on_error`` is ``"raise"``.
        """
        stream = self.person_stream()
        python = stream.feed(text) + stream.close()
        return Converted(python, stream.notes, stream.parts)

    def person_stream(self) -> PersonStream:
        """``to_person`` for a text that arrives in pieces."""
        return PersonStream(self)

    def _block(self, fence: Fence, lines: list[str], line: int, notes: list[Note]) -> str | None:
        """The SimPy of the lines of a block, indented and with its line break."""
        code = "".join(_dedent(text, fence.indent) for text in lines)
        if not code.strip():
            return None
        simpy = self._encode(code, line, notes)
        if simpy is None:
            return None
        return _indent(simpy.removesuffix("\n") + "\n", fence.indent, fence.eol)

    def _encode(self, code: str, line: int, notes: list[Note]) -> str | None:
        try:
            text = read_source(code)
            if not self.verify and parse_tree(text) is None:
                raise PythonSyntaxError("nests too deep to be checked")
            return encode(text, dialect=self.dialect, verify=self.verify)
        except SyntaxError as error:
            fault: SimPyError = PythonSyntaxError(error.msg or "invalid syntax", line=error.lineno, column=error.offset or 1)
        except SimPyError as error:
            fault = error
        except RecursionError:
            fault = PythonSyntaxError("nests too deep")
        if fault.line is not None:
            fault.line += line - 1
        if self.on_error == "raise":
            raise fault
        notes.append(Note(fault.line or line, _reason(fault)))
        return None


class PersonStream:
    """The text of a model to what a person reads, while it arrives.

    The parts that ``feed`` and ``close`` return join to what ``MixedText.to_person`` gives for the whole text, however it is cut.

    Attributes:
        notes: what could not be converted so far.
        parts: how many parts have been converted so far.

    >>> stream = MixedText("classic").person_stream()
    >>> [stream.feed(piece) for piece in ("So:\\n``", "`py\\n<ret", "urn>a<l>", "b\\n``")], stream.feed("`\\n"), stream.close()
    (['So:\\n', '', '```py\\nreturn a <', ''], ' b\\n```\\n', '')
    """

    def __init__(self, mixed: MixedText) -> None:
        self.notes: tuple[Note, ...] = ()
        self.parts = 0
        self._mixed = mixed
        self._prose = Prose()
        self._fence: Fence | None = None  # of the block that is open
        self._piece: SimPyPiece | None = None  # the SimPy being read, in a fence or bare
        self._line = ""  # the current line so far
        self._shown = 0  # how much of it has been given on
        self._number = 1  # of the current line
        self._began = 1  # the line where the piece began
        self._opening = ""  # the opening line, where it waits for what becomes of its block
        self._breaks = ""  # line breaks before the current line of the block that are its last, perhaps
        self._at_start = True  # of a line of what is given on
        self._out: list[str] = []
        self._specials = mixed.dialect.special_tokens if mixed.bare and not _spells_breaks(mixed.dialect) else ()
        self._tokens_start = re.compile("|".join(map(re.escape, self._specials)) or "(?!)")
        if self._specials:
            self._piece = SimPyPiece(mixed.dialect)

    def feed(self, text: str) -> str:
        """Read a piece of the text; return what it settles.

        Raises:
            SimPySyntaxError: SimPy in it is malformed, and ``on_error`` is ``"raise"``.
        """
        while text:
            if self._piece is not None and self._fence is None:
                text = self._bare(text)
                continue
            at = text.find("\n") + 1
            part, text = (text[:at], text[at:]) if at else (text, "")
            self._line += part
            if self._fence is None:
                text = self._outside() + text
            else:
                self._inside()
        return self._take()

    def close(self) -> str:
        """Read the end of the text; return the rest.

        Raises:
            SimPySyntaxError: SimPy in it breaks off, and ``on_error`` is ``"raise"``.
        """
        if self._fence is None and self._piece is not None:
            piece, self._piece = self._piece, None
            self._out.append(piece.close(complete=piece.converted))
            self._note(piece, partial=True)
        elif self._fence is not None and self._piece is not None:
            if not self._fence.closes(self._line):
                self._content(self._line[self._shown :])
                self._end_block(complete=False)
            else:
                self._end_block(complete=True)
                self._out.append(self._line)
        else:
            if self._fence is None and "\n" not in self._line:
                fence = self._prose.opens(self._line)
                if fence is not None and self._opening:
                    self._out.append(self._opening)
            self._out.append(self._line[self._shown :])
        self._line = ""
        return self._take()

    def _take(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    # ------------------------------------------------------------------------------------------------------- prose

    def _outside(self) -> str:
        """Take the current line of prose as far as it goes; return what is to be read again, as SimPy."""
        line = self._line
        if self._specials and not self._shown:
            if self._tokens_start.match(line):
                self._piece = SimPyPiece(self._mixed.dialect)
                self._began = self._number
                self._line = ""
                return line
            if "\n" not in line and any(token.startswith(line) for token in self._specials):
                return ""
        if not line.endswith("\n"):
            if self._shown or not may_open(line):
                self._show()
            return ""
        fence = self._prose.opens(line)
        if fence is not None:
            self._fence = fence
            self._opening = ""
            if fence.is_python or fence.is_simpy:
                self._piece = SimPyPiece(self._mixed.dialect)
                self._began = self._number + 1
                self._at_start = True
                self._breaks = ""
                if fence.is_simpy:
                    self._opening = line
        if not self._opening:
            self._show()
        self._end_line()
        return ""

    def _show(self) -> None:
        self._out.append(self._line[self._shown :])
        self._shown = len(self._line)

    def _end_line(self) -> None:
        self._line = ""
        self._shown = 0
        self._number += 1

    def _bare(self, text: str) -> str:
        """Read SimPy outside of fences; return what follows it."""
        piece = self._piece
        assert piece is not None  # noqa: S101  # the caller has seen it
        python = piece.feed(text)
        if piece.failed_at is None:
            self._out.append(python)
            return ""
        self._piece = None
        self._number = self._began + piece.raw[: piece.failed_at].count("\n")
        if not piece.converted:
            # It was prose: the beginning of its first line is no SimPy, whatever it looks like.
            raw = piece.raw
            if self._tokens_start.match(raw):
                head = raw[:1]
                self._line, self._shown = head, 1
                self._out.append(head)
                return raw[1:]
            self._line = ""
            return raw
        rest = piece.rest
        self._out.append(python[: len(python) - len(rest)] if rest and python.endswith(rest) else python)
        complete = python[: len(python) - len(rest)].endswith("\n") if rest else True
        if not complete or piece.held_back:
            self._note(piece, partial=True)
        self.parts += 1
        self._line = ""
        return rest

    # ------------------------------------------------------------------------------------------------------ blocks

    def _inside(self) -> None:
        """Take the current line of a block as far as it goes."""
        fence, line = self._fence, self._line
        assert fence is not None  # noqa: S101  # the caller has seen it
        ended = line.endswith("\n")
        if not self._shown:
            if ended and fence.closes(line):
                self._end_block(complete=True)
                self._out.append(line)
                self._fence = None
                self._end_line()
                return
            if not ended and fence.may_close(line):
                return
        if self._piece is None:
            self._show()
        else:
            end = len(line)
            if ended:
                end -= 2 if line.endswith("\r\n") else 1
            elif line.endswith("\r"):
                end -= 1
            self._content(line[self._shown : end])
            self._shown = end
            if ended:
                self._breaks += line[end:]
        if ended:
            self._end_line()

    def _content(self, raw: str) -> None:
        """Read some of a line of a block."""
        piece, fence = self._piece, self._fence
        assert piece is not None and fence is not None  # noqa: S101  # the caller has seen them
        if not raw:
            return
        if self._breaks:
            breaks, self._breaks = self._breaks, ""
            if piece.raw or piece.failed_at is not None:
                self._write(piece.feed(breaks.replace("\r\n", "\n"), breaks), piece)
            else:
                piece.lead(breaks)
        text = _dedent(raw, fence.indent) if not self._shown else raw
        self._write(piece.feed(text, raw), piece)

    def _write(self, text: str, piece: SimPyPiece) -> None:
        """Give on what a piece in a block has settled; its converted part is indented as the block is."""
        if not text:
            return
        fence = self._fence
        assert fence is not None  # noqa: S101  # only blocks are written so
        if self._opening:
            self._out.append(fence.as_python() if piece.converted else self._opening)
            self._opening = ""
        if piece.converted and (fence.indent or fence.eol != "\n"):
            rest = len(piece.rest) if piece.just_failed else (len(text) if piece.failed_at is not None else 0)
            head, tail = text[: len(text) - rest], text[len(text) - rest :]
            self._out.append(_indent(head, fence.indent, fence.eol, self._at_start) + tail)
            if head:
                self._at_start = head.endswith("\n")
        else:
            self._out.append(text)

    def _end_block(self, complete: bool) -> None:
        piece = self._piece
        if piece is None:
            return
        whole = piece.failed_at is None
        self._write(piece.close(complete), piece)
        if self._opening:
            self._out.append(self._opening)
            self._opening = ""
        if not (whole and piece.converted and piece.failed_at is None):
            self._out.append(self._breaks)
        self._breaks = ""
        self._piece = None
        self.parts += piece.converted
        self._note(piece, partial=piece.converted)

    def _note(self, piece: SimPyPiece, partial: bool) -> None:
        """Say that a piece was not converted, unless it is Python."""
        error = piece.error
        if error is None or (not piece.converted and (not piece.raw.strip() or _parses(piece.raw))):
            return
        if self._mixed.on_error == "raise":
            raise error
        line = self._began + piece.raw[: piece.failed_at or 0].count("\n")
        self.notes += (Note(line, _reason(error), partial and piece.converted),)


_ODD_BREAKS = re.compile(r"[\r\v\f\x1c-\x1e]")


def _lines(text: str) -> list[str]:
    """Lines that end with a line feed only, unlike those of ``splitlines``."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _dedent(line: str, indent: str) -> str:
    """A line without the indent of its fence, or as much of that as it has."""
    if line.startswith(indent):
        return line[len(indent) :]
    head = line[: len(indent)]
    return head.lstrip(" \t") + line[len(indent) :]


def _indent(text: str, indent: str, eol: str, at_start: bool = True) -> str:
    """Lines with an indent before each that is not empty."""
    if not indent and eol == "\n":
        return text
    lines = text.split("\n")
    return eol.join((indent if line and (i or at_start) else "") + line for i, line in enumerate(lines))


def _reason(error: SimPyError) -> str:
    return error.message


def _parses(text: str) -> bool:
    try:
        return parse_tree(text.replace("\r\n", "\n")) is not None
    except SyntaxError:
        return False


def _spells_breaks(dialect: Dialect) -> bool:
    return dialect.is_python or any("\n" in text for text in dialect.spellings.get("LINE_SEP", ()))


_CALL = re.compile(r"[\w.]+\(")


def _is_program(text: str) -> bool:
    """Whether a text without a fence is Python and meant so: words and JSON may parse as Python too."""
    if not text.strip():
        return False
    try:
        tree = parse_tree(text)
    except SyntaxError:
        return False
    lines = text.split("\n")
    return isinstance(tree, _ast.Module) and any(_is_evidence(node, lines) for node in tree.body)


def _is_evidence(node: _ast.stmt, lines: list[str]) -> bool:
    if isinstance(node, _ast.Expr):
        return isinstance(node.value, _ast.Call) and _CALL.match(lines[node.lineno - 1]) is not None
    if isinstance(node, _ast.AnnAssign):
        return node.value is not None
    return isinstance(node, _ast.Assign | _ast.AugAssign | _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef) or hasattr(node, "body")
