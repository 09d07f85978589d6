"""Programs, encoded once, to be spelled in many ways: *templates*, which hold terminals where a dialect puts spellings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.speller import Speller
from tokenizer_ext.costs import CostTable
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
        self._native: Any = None if core is None else core.templates(self.templates)

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
        table = self._table(dialect)
        return [self._spell(self.templates[at], table) for at in (range(len(self.templates)) if which is None else which)]

    def costs(self, dialect: Dialect, costs: CostTable, which: Sequence[int] | None = None) -> list[int]:
        """The tokens of the programs in a dialect: of all, or of those of some numbers."""
        if core is not None and self._native is not None and costs.native is not None:
            numbers = list(range(len(self.templates)) if which is None else which)
            found: list[int] | None = core.template_costs(self._native, self._table(dialect), numbers, costs.native, costs.count)
            if found is not None:
                return found
        return costs.total(self.spelled(dialect, which))

    def _table(self, dialect: Dialect) -> list[Spelling]:
        return [dialect.spellings[terminal] for terminal in self.terminals]

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
