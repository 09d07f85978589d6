"""What to say about SimPy that does not parse: the position, what was expected, and a hint for the common mistakes."""

from __future__ import annotations

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPySyntaxError, locate
from simpy_grammar.parser import Stuck


def explain(text: str, stuck: Stuck, dialect: Dialect, path: str | None) -> SimPySyntaxError:
    """The error for a text that the parser cannot read on."""
    line, column, source_line = locate(text, stuck.offset)
    return SimPySyntaxError("unexpected text", path=path, line=line, column=column, source_line=source_line)
