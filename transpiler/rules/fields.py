"""The text of a field that is kept as it was written, such as ``{a + b = }``: the rules apply to the expression in it."""

from __future__ import annotations

from collections.abc import Callable

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import CLOSING, OPENING, StuckError
from simpy_grammar.terminals import ID
from transpiler.rules.state import State
from transpiler.rules.table import refuse

_LAMBDA = ID["LAMBDA"]
_COMPREHENSIONS = frozenset((ID["COMPREHENSION_FOR"], ID["COMPREHENSION_ASYNC"]))  # before 3.12 a field was in parentheses by itself
_MARK = "<debug>"


def verbatim(state: State, text: str, step: Callable[[State, int, str | None], State]) -> State:
    """Read the lexemes of the expression, as if they stood in parentheses.

    Args:
        state: the state in the field.
        text: the text with its marks.
        step: what reads a lexeme.

    Raises:
        RuleError: "field text", or whatever rule the expression breaks.
    """
    source = text[len(_MARK) : -len(_MARK)].replace("<debug\\", "<debug")
    stripped = source.rstrip()
    expression = stripped[:-1] if stripped.endswith("=") else source
    reader = PythonReader(Dialect.load(PYTHON))
    try:
        reader.read_all(f"({expression}\n)")
    except (StuckError, LexError):
        refuse("field text", expression)
    terminals, texts = reader.stream.terminals, reader.stream.texts
    depth = 0
    for terminal, piece in zip(terminals, texts, strict=True):
        depth += (terminal in OPENING) - (terminal in CLOSING)
        if depth == 1 and terminal == _LAMBDA:
            refuse("field lambda")
        if depth == 1 and terminal in _COMPREHENSIONS and state.is_for((3, 12)):
            refuse("field text", expression)
        state = step(state, terminal, piece)
    return state
