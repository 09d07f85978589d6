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
_OUTER_LEXEMES = 3
_UNSETTLED = 3  # lexemes at the end of a text that breaks off, which what follows may change


def joins(prompt: Prompt) -> Callable[[str], bool]:
    """A function that says of an answer, in the dialect and to the end of the program, whether it joins on to a prompt.

    >>> joined = joins(Prompt("x = f(a, ", "classic"))
    >>> joined(" b)"), joined(")"), joined("b)"), joined("+b)")
    (True, True, False, False)
    """
    near = _near(prompt)

    def joined(answer: str) -> bool:
        stream = CompletionStream(near)
        added = stream.feed(answer) + stream.close()
        return not stream.notes and says_the_same_program(near.python + added, near.sent + answer, near.dialect)

    return joined


def says_the_same_program(python: str, simpy: str, dialect: Dialect) -> bool:
    """Whether two texts, in Python and in a dialect, are the same program; or, if both break off, as far as they can be read.

    >>> classic = Dialect.load("classic")
    >>> says_the_same_program("x = f(a, b)\\n", "x=f(a b)", classic), says_the_same_program("x = f(a)\\n", "x=f(a b)", classic)
    (True, False)
    """
    outer = is_indented(python)
    one, other = PythonReader(Dialect.load(PYTHON)), SimPyReader(dialect)
    try:
        one.feed(_OUTER + python if outer else python)
        other.feed(simpy)
    except (SimPyError, StuckError, LexError):
        return False
    one_ends, other_ends = _closed(one), _closed(other)
    last = python.rstrip().rpartition("\n")[2]
    if one_ends is not other_ends or (one_ends and last.endswith("\\") and "#" not in last):  # CPython wants a line to join to
        return False
    said, wanted = _said(one), _said(other)
    if not one_ends:
        length = min(len(wanted), len(said) - _OUTER_LEXEMES * outer) - _UNSETTLED
        return length > 0 and said[_OUTER_LEXEMES * outer :][:length] == wanted[:length]
    return (said[_OUTER_LEXEMES:-1] if outer else said) == wanted


def _near(prompt: Prompt) -> Prompt:
    """The prompt from its last statement on that stands in no block: what is before that does not matter to its end."""
    python = prompt.python
    at = len(python)
    while (at := python.rfind("\n", 0, at)) >= 0:
        if python[at + 1 : at + 2].isidentifier() or python[at + 1 : at + 2] == "@":
            found = Prompt(python[at + 1 :], prompt.dialect)
            return found if found.converted and found.rest == prompt.rest and prompt.sent.endswith(found.sent) else prompt
    return prompt


def _closed(reader: PythonReader | SimPyReader) -> bool:
    """Read the end of the text, if it may stand there."""
    try:
        reader.close()
    except (SimPyError, StuckError, LexError):
        return False
    return True


def _said(reader: PythonReader | SimPyReader) -> list[tuple[int, str]]:
    """The lexemes of a program; of those that are always spelled alike, no text."""
    stream = reader.stream
    return [(terminal, text if terminal in _DATA else "") for terminal, text in zip(stream.terminals, stream.texts, strict=True)]
