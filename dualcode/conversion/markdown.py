"""Text in which some parts are Python, such as a message of a chat: these parts to SimPy and back, the rest byte for byte.

``fences`` says which lines are fences, ``reply_stream`` reads the way back; messages and their roles are left to ``messages``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dualcode.conversion.code import CodeConverter, ConvertedCode
from dualcode.conversion.framings import CodeBlock, read_blocks
from dualcode.conversion.outcomes import Converted, Note, Shortened
from dualcode.conversion.programs import ASSIGNMENTS, FILE, evidence
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.tool_results import PythonCode
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError

ON_ERROR = ("pass", "raise")


class MixedText:
    """Converts the Python in mixed text, and nothing else.

    To the model it converts a text that is Python as a whole, and blocks of Python as ``framings`` finds them; to the person, fenced
    blocks that are marked ``python`` or ``simpy``. Everything else stays byte for byte: prose, inline code, other languages, diffs,
    blocks that do not end, and blocks that do not parse. The same text
    always gives the same bytes; SimPy that was converted once stays as it is, unless it is Python as well (``x=1``, ``a<l>b``).

    Args:
        dialect: what the model reads and writes.
        bare: convert code outside of fences too: to the model, a text that is Python as a whole; to the person, SimPy at the
            start of the text or at a line that starts with a special token, if the dialect does not spell with line breaks.
        on_error: ``"pass"`` to leave what cannot be converted as received, with a note; ``"raise"`` to raise the error.
        numbers: number definitions where a gutter of line numbers is taken away.
        least: what a text must show to be converted as a whole, of ``dualcode.conversion.programs``; by default any assignment if
            ``bare``, else a definition or a docstring.
        verify: prove that each block survives the way to SimPy and back before it is replaced.

    Raises:
        DialectError: there is no such dialect, or it has aliases of names.

    >>> mixed = MixedText("classic")
    >>> mixed.to_model("Why?\\n```py\\nif a < b:\\n    c = 1\\n```\\n").text
    'Why?\\n```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```\\n'
    >>> mixed.to_person("```py\\n<if_stmt>a<l>b<block_start>c=1<block_end>\\n```").text
    '```py\\nif a < b:\\n    c = 1\\n```'
    """

    def __init__(
        self,
        dialect: str | Path | Dialect,
        *,
        bare: bool = False,
        on_error: str = "pass",
        verify: bool = True,
        numbers: bool = True,
        least: int | None = None,
    ) -> None:
        if on_error not in ON_ERROR:
            raise ValueError(f"on_error is one of {', '.join(ON_ERROR)}, not {on_error!r}")
        self.dialect = Dialect.load(dialect)
        if self.dialect.aliases:
            # Each program in a chat would bind its own, and the parts of a program that edits and answers quote would have none.
            fault = f"{self.dialect.name} has aliases of names, which stand for something within one program only"
            raise DialectError(fault, hint=f"use {self.dialect.without_aliases().name}")
        self.bare = bare
        self.on_error = on_error
        self.verify = verify
        self._least = (ASSIGNMENTS if bare else FILE) if least is None else least
        self._code = CodeConverter(self.dialect, verify=verify, numbers=numbers)

    def to_model(self, text: str) -> Converted:
        """Convert the Python in a text that a person or a program sends.

        Raises:
            PythonSyntaxError: a block marked as Python is not, and ``on_error`` is ``"raise"``.
        """
        if isinstance(text, PythonCode):
            return self.code_to_model(text)
        shown = evidence(text)
        if shown >= self._least:
            return self.code_to_model(text)
        if shown:
            return Converted(text, (Note(1, "it may be Python, and nothing marks it"),))
        return self._by_framings(text)

    def _by_framings(self, text: str) -> Converted:
        """Convert the blocks of a text that is not Python as a whole."""
        out: list[str] = []
        notes: list[Note] = []
        shortened: list[Shortened] = []
        line = 1
        for piece in read_blocks(text, self._least):
            if isinstance(piece, str):
                out.append(piece)
                line += 1
                continue
            found = self._block(piece, line + piece.before.count("\n"), notes)
            out += (piece.before, piece.received if found is None else piece.write(found.text), piece.after)
            shortened += () if found is None else found.shortened
            line += piece.lines
        return Converted("".join(out), tuple(notes), len(shortened), tuple(shortened))

    def code_to_model(self, text: str) -> Converted:
        """Convert a text that is Python as a whole.

        Raises:
            PythonSyntaxError: it is not, and ``on_error`` is ``"raise"``.
        """
        notes: list[Note] = []
        found = self._convert(str(text), 1, notes, self._code.convert_whole)
        return (
            Converted(str(text), tuple(notes))
            if found is None
            else Converted(found.text, tuple(notes), len(found.shortened), found.shortened)
        )

    def to_person(self, text: str) -> Converted:
        """Convert the SimPy in a text that a model sends.

        Raises:
            SimPySyntaxError: a part is SimPy that breaks off or is malformed, and ``on_error`` is ``"raise"``.
        """
        stream = self.reply_stream()
        python = stream.feed(text) + stream.close()
        return Converted(python, stream.notes, stream.parts)

    def reply_stream(self, begun: str = "") -> ReplyStream:
        """``to_person`` for a text that arrives in pieces; it may continue a text that has ``begun`` before."""
        return ReplyStream(self.dialect, bare=self.bare, on_error=self.on_error, begun=begun)

    def _block(self, block: CodeBlock, line: int, notes: list[Note]) -> ConvertedCode | None:
        """The code of a block as the model sees it; ``None`` if it stays as received."""
        if block.code is None:
            return None
        if block.refused:
            notes.append(Note(line, block.refused))
            return None
        partial = block.partial
        return self._convert(block.code, line, notes if block.certain else None, lambda code: self._code.convert(code, partial=partial))

    def _convert(self, code: str, line: int, notes: list[Note] | None, convert: Callable[[str], ConvertedCode]) -> ConvertedCode | None:
        """Convert code that begins at some line; what cannot be converted is noted if there are ``notes``."""
        try:
            return convert(code)
        except SimPyError as error:
            if error.line is not None:
                error.line += line - 1
            if notes is None:
                return None
            if self.on_error == "raise":
                raise
            notes.append(Note(error.line or line, error.message))
            return None
