"""The reply of a model, converted to what a person reads while it arrives: fences and bare SimPy are found line by line.

What becomes of each part of SimPy is decided by ``recovery``.
"""

from __future__ import annotations

import re
from pathlib import Path

from dualcode.conversion.fences import LONGEST_FENCE, Fence, Prose, indent_lines, may_open
from dualcode.conversion.outcomes import Note
from dualcode.conversion.recovery import SimPyPart, spells_breaks
from simpy_grammar.dialect import Dialect
from transpiler.fragments import fragment_tree


class ReplyStream:
    """Converts the reply of a model while it arrives.

    The parts that ``feed`` and ``close`` return join to what ``MixedText.to_person`` gives for the whole text, however it is cut.

    Attributes:
        notes: what could not be converted so far.
        parts: how many parts have been converted so far.
        ended: empty, since a reply is wanted to its end.

    >>> stream = ReplyStream("classic")
    >>> [stream.feed(piece) for piece in ("So:\\n``", "`py\\n<ret", "urn>a<l>", "b\\n``")], stream.feed("`\\n"), stream.close()
    (['So:\\n', '```py\\n', 'return a <', ''], ' b\\n```\\n', '')
    """

    ended = ""

    def __init__(self, dialect: str | Path | Dialect, *, bare: bool = False, on_error: str = "pass", begun: str = "") -> None:
        self.notes: tuple[Note, ...] = ()
        self.parts = 0
        self._dialect = Dialect.load(dialect)
        self._on_error = on_error
        self._prose = Prose()
        self._fence: Fence | None = None  # of the block that is open
        self._part: SimPyPart | None = None  # the SimPy being read, in a fence or bare
        self._line = ""  # the current line so far
        self._shown = 0  # characters of it that have been passed on
        self._number = 1  # of the current line
        self._began = 1  # the line where the part began
        self._opening = ""  # the opening line, where it waits for what becomes of its block
        self._breaks = ""  # line breaks before the current line of a block; they may be the last of the block
        self._at_start = True  # whether what has been passed on ends a line
        self._out: list[str] = []
        self._specials = self._dialect.special_tokens if bare and not (self._dialect.is_python or spells_breaks(self._dialect)) else ()
        self._tokens_start = re.compile("|".join(map(re.escape, self._specials)) or "(?!)")
        if begun:
            self._continue(begun)
        elif self._specials:
            self._part = SimPyPart(self._dialect)

    def _continue(self, begun: str) -> None:
        """Read the text that the reply continues; it is not passed on."""
        ended, line_break, line = begun.rpartition("\n")
        if not line_break:
            return  # one line, which the reply continues: it is prose
        lines = [f"{line}\n" for line in ended.split("\n")]
        code = ""
        for one in lines:
            if self._fence is None:
                self._fence = self._prose.opens(one)
                code = ""
            elif self._fence.closes(one):
                self._fence = None
            elif (inner := self._fence.strip(one)) is None:
                self._fence = self._prose.opens(one)
                code = ""
            else:
                code += inner
        if self._fence is None or not (self._fence.is_python or self._fence.is_simpy):
            return
        if (code + line).strip():
            self.notes += (Note(1, "the answer continues code that the request has begun"),)
            return
        self._part = SimPyPart(self._dialect)

    @property
    def held(self) -> int:
        """How many characters of a block wait for its end, where they are converted at once."""
        return 0 if self._part is None else self._part.held

    @property
    def may_end_block(self) -> bool:
        """Whether what has arrived of the current line may end the block, whatever comes next."""
        return self._fence is not None and bool(self._line.strip()) and self._fence.may_close(self._line)

    def feed(self, text: str) -> str:
        """Read a piece of the text; return what it settles.

        Raises:
            SimPySyntaxError: SimPy in it is malformed, and ``on_error`` is ``"raise"``.
        """
        while text:
            if self._part is not None and self._fence is None:
                text = self._bare(text)
                continue
            at = text.find("\n") + 1
            part, text = (text[:at], text[at:]) if at else (text, "")
            if self._shown > LONGEST_FENCE:  # only the beginning of the line still matters
                self._line = self._line[: LONGEST_FENCE + 1] + self._line[self._shown :]
                self._shown = LONGEST_FENCE + 1
            self._line += part
            if self._fence is None:
                text = self._outside() + text
            else:
                text = self._inside() + text
        return self._take()

    def close(self) -> str:
        """Read the end of the text; return the rest.

        Raises:
            SimPySyntaxError: SimPy in it breaks off, and ``on_error`` is ``"raise"``.
        """
        part, fence = self._part, self._fence
        if part is None:
            self._show()
        elif fence is None:
            self._part = None
            self._out += part.close(complete=False)
            self._note(part)
        elif not self._shown and fence.closes(self._line):
            self._end_block(complete=True)
            self._show()
        else:
            self._content(self._line[self._shown :])
            self._end_block(complete=False)
        self._line = ""
        return self._take()

    def _take(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    # ------------------------------------------------------------------------------------------------------- prose

    def _outside(self) -> str:
        """Handle the current line of prose as far as it has come; return what is to be read again, as SimPy."""
        line = self._line
        if self._specials and not self._shown:
            if self._tokens_start.match(line):
                self._part = SimPyPart(self._dialect)
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
                self._part = SimPyPart(self._dialect)
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
        part = self._part
        assert part is not None  # noqa: S101  # the caller has seen it
        python, rest = part.feed(text)
        self._out.append(python)
        if part.failed_at is None:
            return ""
        self._part = None
        if part.converted:
            self.parts += 1
            if not part.whole:
                self._note(part)
            self._number = self._began + part.raw[: part.failed_at].count("\n")
        elif self._tokens_start.match(rest):
            # The line starts with a token and is prose nevertheless: it is not tried again.
            self._line, rest = rest[:1], rest[1:]
            self._show()
        return rest

    # ------------------------------------------------------------------------------------------------------ blocks

    def _inside(self) -> str:
        """Handle the current line of a block as far as it has come; return what is to be read again, as SimPy."""
        fence, line = self._fence, self._line
        assert fence is not None  # noqa: S101  # the caller has seen it
        ended = line.endswith("\n")
        if not self._shown:
            if not fence.may_close(line) and fence.strip(line) is None:  # the quote in which the block stands has ended
                self._end_block(complete=True)
                self._fence = None
                return self._outside()
            if ended and fence.closes(line):
                self._end_block(complete=True)
                self._out.append(line)
                self._fence = None
                self._end_line()
                return ""
            if not ended and fence.may_close(line):
                return ""
        if self._part is None:
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
        return ""

    def _content(self, raw: str) -> None:
        """Read some of a line of a block."""
        part, fence = self._part, self._fence
        assert part is not None and fence is not None  # noqa: S101  # the caller has seen them
        if not raw:
            return
        if self._breaks:
            breaks, self._breaks = self._breaks, ""
            if part.has_text or part.failed_at is not None:
                self._write(*part.feed(breaks.replace("\r\n", "\n"), breaks))
            else:
                part.lead(breaks)
        text = raw if self._shown else fence.strip(raw) or ""
        self._write(*part.feed(text, raw))

    def _write(self, python: str, rest: str) -> None:
        """Pass on what a block has settled; its Python is indented as the block is."""
        fence = self._fence
        assert fence is not None  # noqa: S101  # only blocks are written so
        if self._opening and (python or rest):
            self._out.append(fence.marked_python() if python else self._opening)
            self._opening = ""
        if python:
            self._out.append(indent_lines(python, fence.indent, fence.eol, self._at_start))
            self._at_start = python.endswith("\n")
        self._out.append(rest)

    def _end_block(self, complete: bool) -> None:
        part, fence = self._part, self._fence
        if part is None or fence is None:
            return
        if complete and spells_breaks(self._dialect) and len(self._breaks) > len(fence.eol) and part.failed_at is None:
            # Only the last line break is the fence's, those before it are SimPy.
            breaks, self._breaks = self._breaks[: -len(fence.eol)], self._breaks[-len(fence.eol) :]
            self._write(*part.feed(breaks.replace("\r\n", "\n"), breaks))
        self._write(*part.close(complete))
        self._out.append(self._opening)
        if not part.converted or part.failed_at is not None:
            self._out.append(self._breaks)
        self._opening = self._breaks = ""
        self._part = None
        self.parts += part.converted
        self._note(part)

    def _note(self, part: SimPyPart) -> None:
        """Say that a part was not converted, unless it is Python."""
        error = part.error
        if error is None or (not part.converted and not part.ambiguous and (not part.raw.strip() or _parses(part.raw))):
            return
        if self._on_error == "raise":
            raise error
        line = self._began + part.raw[: part.failed_at or 0].count("\n")
        self.notes += (Note(line, error.message, part.converted),)


def _parses(text: str) -> bool:
    try:
        return fragment_tree(text.replace("\r\n", "\n")) is not None
    except SyntaxError:
        return False
