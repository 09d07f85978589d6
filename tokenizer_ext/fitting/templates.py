"""Programs, encoded once, to be spelled in many ways: *templates*, which hold terminals where a dialect puts spellings."""

from __future__ import annotations

import re
from collections.abc import Iterable

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.speller import Speller
from tokenizer_ext.fitting.spellings import Spelling
from transpiler.conversion import read_stream
from transpiler.source import read_source

_MARK = re.compile("\x01([A-P])([A-P])")
_CLOSING = frozenset(")]}'\"")
_OPENING = frozenset("([{'\"")
Template = list[str | int]
"""Text, and for each terminal its number."""


class ProgramTemplates:
    """The templates of some programs.

    Args:
        programs: Python sources; those that cannot be encoded are left out.
        dialect: which terminals are implied, and which are left out, is that of this dialect.

    >>> ProgramTemplates(["x = 1"], Dialect.load("dense")).spelled(Dialect.load("dense"))
    ['x=1']
    """

    def __init__(self, programs: Iterable[str], dialect: Dialect) -> None:
        self.terminals = tuple(dialect.spellings)
        marks = Dialect("marks", {terminal: (self._mark(i),) for i, terminal in enumerate(self.terminals)})
        self.programs: list[str] = []
        self.templates: list[Template] = []
        for program in programs:
            if "\x01" in program:
                continue
            try:
                text = "".join(Speller(marks, check=False).spell_all(read_stream(read_source(program), Dialect.load(PYTHON))))
            except (SimPyError, RecursionError):
                continue
            self.programs.append(program)
            self.templates.append(self._template(text))
        self.where: list[list[int]] = [[] for _ in self.terminals]
        for at, template in enumerate(self.templates):
            for piece in {piece for piece in template if isinstance(piece, int)}:
                self.where[piece].append(at)

    @staticmethod
    def _mark(number: int) -> str:
        return f"\x01{chr(65 + number // 16)}{chr(65 + number % 16)}"

    @staticmethod
    def _template(text: str) -> Template:
        parts = _MARK.split(text)
        template: Template = [parts[0]]
        for high, low, data in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            template += ((ord(high) - 65) * 16 + ord(low) - 65, data)
        return [piece for piece in template if piece != ""]

    def spelled(self, dialect: Dialect, which: Iterable[int] | None = None) -> list[str]:
        """The programs in a dialect: all, or those of some numbers."""
        table = [dialect.spellings[terminal] for terminal in self.terminals]
        return [self._spell(self.templates[at], table) for at in (range(len(self.templates)) if which is None else which)]

    @staticmethod
    def _spell(template: Template, table: list[Spelling]) -> str:
        out: list[str] = []
        for at, piece in enumerate(template):
            if isinstance(piece, str):
                out.append(piece)
                continue
            texts = table[piece]
            if len(texts) > 1 and out and out[-1][-1:] in _CLOSING:
                after = template[at + 1]
                first = after if isinstance(after, str) else table[after][0]
                out.append(texts[1] if first[:1] in _OPENING else texts[0])
            else:
                out.append(texts[0])
        return "".join(out)
