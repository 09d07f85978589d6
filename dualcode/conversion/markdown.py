"""Text in which some parts are Python, such as a message of a chat: these parts to SimPy and back, the rest byte for byte.

``fences`` says which lines are fences, ``reply_stream`` reads the way back; messages and their roles are left to ``messages``.
"""

from __future__ import annotations

import _ast
import re
from pathlib import Path

from dualcode.conversion.fences import Fence, Prose, dedent, indent_lines
from dualcode.conversion.outcomes import Converted, Note, Shortened
from dualcode.conversion.recovery import spells_breaks
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.tool_results import PythonCode
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from transpiler import encode
from transpiler.proof import parse_tree
from transpiler.source import read_source

ON_ERROR = ("pass", "raise")


class MixedText:
    """Converts the Python in mixed text, and nothing else.

    It converts fenced blocks that are marked ``python`` or ``py`` (and, on the way back, ``simpy``). Everything else stays byte
    for byte: prose, inline code, other languages, diffs, blocks that do not end, and blocks that do not parse. The same text
    always gives the same bytes; SimPy that was converted once stays as it is, unless it is Python as well (``x=1``, ``a<l>b``).

    Args:
        dialect: what the model reads and writes.
        bare: convert code outside of fences too: to the model, a text that is Python as a whole; to the person, SimPy at the
            start of the text or at a line that starts with a special token, if the dialect does not spell with line breaks.
        on_error: ``"pass"`` to leave what cannot be converted as received, with a note; ``"raise"`` to raise the error.
        verify: prove that each block survives the way to SimPy and back before it is replaced.

    Raises:
        DialectError: there is no such dialect.

    >>> mixed = MixedText("classic")
    >>> mixed.to_model("Why?\\n```py\\nif a < b:\\n    c = 1\\n```\\n").text
    'Why?\\n```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```\\n'
    >>> mixed.to_person("```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```").text
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
        """Convert the Python in a text that a person or a program sends.

        Raises:
            PythonSyntaxError: a block marked as Python is not, and ``on_error`` is ``"raise"``.
        """
        if isinstance(text, PythonCode):
            return self.code_to_model(text)
        out: list[str] = []
        notes: list[Note] = []
        pieces: list[Shortened] = []
        number = 0
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
                if simpy is None:
                    out += block
                else:
                    out.append(simpy)
                    pieces.append(Shortened("".join(block), simpy))
            if number < len(lines):
                out.append(lines[number])
                number += 1
        if self.bare and not fenced and _is_program(text):
            return self.code_to_model(text)
        return Converted("".join(out), tuple(notes), len(pieces), tuple(pieces))

    def code_to_model(self, text: str) -> Converted:
        """Convert a text that is Python as a whole.

        Raises:
            PythonSyntaxError: it is not, and ``on_error`` is ``"raise"``.
        """
        notes: list[Note] = []
        simpy = self._encode(text, 1, notes)
        if simpy is None:
            return Converted(str(text), tuple(notes))
        return Converted(simpy, tuple(notes), 1, (Shortened(str(text), simpy),))

    def to_person(self, text: str) -> Converted:
        """Convert the SimPy in a text that a model sends.

        Raises:
            SimPySyntaxError: a part is SimPy that breaks off or is malformed, and ``on_error`` is ``"raise"``.
        """
        stream = self.reply_stream()
        python = stream.feed(text) + stream.close()
        return Converted(python, stream.notes, stream.parts)

    def reply_stream(self) -> ReplyStream:
        """``to_person`` for a text that arrives in pieces."""
        return ReplyStream(self.dialect, bare=self.bare, on_error=self.on_error)

    def _block(self, fence: Fence, lines: list[str], line: int, notes: list[Note]) -> str | None:
        """The SimPy of the lines of a block, indented and with its line break."""
        code = "".join(dedent(text, fence.indent) for text in lines)
        if not code.strip():
            return None
        simpy = self._encode(code, line, notes)
        if simpy is None:
            return None
        body = simpy if spells_breaks(self.dialect) else simpy.removesuffix("\n")
        return indent_lines(body + "\n", fence.indent, fence.eol)

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
        notes.append(Note(fault.line or line, fault.message))
        return None


_ODD_BREAKS = re.compile(r"[\r\v\f\x1c-\x1e]")


def _lines(text: str) -> list[str]:
    """Lines that end with a line feed only, unlike those of ``splitlines``."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


_CALL = re.compile(r"[\w.]+\(")


def _is_program(text: str) -> bool:
    """Whether a text without a fence is Python and meant as such: words and JSON may parse as Python too."""
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
    return isinstance(node, _ast.Assign | _ast.AugAssign) or hasattr(node, "body")
