"""Whether an answer joins on to the end of its prompt.

A prompt may end with more than its SimPy says: a blank, a line break, a comma, the colon of a header. An answer that goes on with the last
word all the same, or leaves the comma out, is another program than prompt and answer together.
"""

from __future__ import annotations

from collections.abc import Callable

from dualcode.conversion.beginnings import is_indented
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.prompts import Prompt
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.terminals import TERMINALS

_DATA = frozenset(terminal.id for terminal in TERMINALS if terminal.role == "data")
_OUTER = "if 1:\n"
_Program = list[tuple[int, str]]


def joins(prompt: Prompt) -> Callable[[str], bool]:
    """A function that says of an answer, in the dialect and to the end of the program, whether it joins on to a prompt.

    >>> joined = joins(Prompt("x = f(a, ", "classic"))
    >>> joined(" b)"), joined(")"), joined("b)"), joined("+b)")
    (True, True, False, False)
    """
    near = _near(prompt)

    def joined(answer: str) -> bool:
        stream = CompletionStream(near)
        try:
            added = stream.feed(answer) + stream.close()
            return not stream.notes and _python(near.python + added) == _simpy(near.sent + answer, near.dialect)
        except (SimPyError, StuckError, LexError):
            return False

    return joined


def _near(prompt: Prompt) -> Prompt:
    """The prompt from its last statement on that stands in no block: what is before that does not matter to its end."""
    python = prompt.python
    at = len(python)
    while (at := python.rfind("\n", 0, at)) >= 0:
        if python[at + 1 : at + 2].isidentifier() or python[at + 1 : at + 2] == "@":
            found = Prompt(python[at + 1 :], prompt.dialect)
            return found if found.converted and found.rest == prompt.rest and prompt.sent.endswith(found.sent) else prompt
    return prompt


def _python(text: str) -> _Program:
    outer = is_indented(text)
    reader = PythonReader(Dialect.load(PYTHON))
    reader.feed(_OUTER + text if outer else text)
    reader.close()
    program = _said(reader)
    return program[3:-1] if outer else program


def _simpy(text: str, dialect: Dialect) -> _Program:
    reader = SimPyReader(dialect)
    reader.feed(text)
    reader.close()
    return _said(reader)


def _said(reader: PythonReader | SimPyReader) -> _Program:
    """The lexemes of a program; of those that are always spelled alike, no text."""
    stream = reader.stream
    return [(terminal, text if terminal in _DATA else "") for terminal, text in zip(stream.terminals, stream.texts, strict=True)]
