"""Files that a model writes as a whole, and code with parts left out, in the layout of the person's file."""

from __future__ import annotations

import ast

from dualcode.conversion.tool_calls.asked import is_same_program
from dualcode.conversion.tool_calls.hunks import hunks_of
from dualcode.conversion.tool_calls.shown_texts import NO_PATH, ShownText
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import EditError, SimPyError
from transpiler.conversion import convert
from transpiler.edits import merge
from transpiler.edits.printer import is_indented_as_compact
from transpiler.patches import read_patch
from transpiler.patches.python_text import PythonText
from transpiler.source import split_lines
from transpiler.views import strip_numbers

_LEFT_OUT = "# ... existing code ...\n"


def give_back_file(known: ShownText, written: str, dialect: Dialect) -> str:
    """A whole file that a model has rewritten, with the person's layout where it says the same.

    Raises:
        SimPyError: it is not a program, or the proof fails.

    >>> give_back_file(ShownText("x  =  1  # one\\ny  =  2\\n", ""), "x=1# one\\ny=3\\n", Dialect.load("compact"))
    'x  =  1  # one\\ny  =  3\\n'
    """
    failed: SimPyError | None = None
    python = Dialect.load(PYTHON)
    for view in dict.fromkeys((dialect if not dialect.is_python else python, python)):
        for text in dict.fromkeys((written, strip_numbers(written, dialect=dialect if dialect.layout == COMPACT else COMPACT))):
            try:
                return merge(known.python, text, dialect=view, path=NO_PATH).text
            except SimPyError as error:
                failed = failed or error
    raise failed or EditError("nothing was written")


def laid_out_file(written: str, dialect: Dialect) -> str | None:
    """A new file laid out for people; ``None`` if it is not in the dialect of the model, or is laid out for people already.

    >>> laid_out_file("def f(x):\\n if x:return 1\\n return 2\\n", Dialect.load("compact"))
    'def f(x):\\n    if x:\\n        return 1\\n    return 2\\n'
    >>> laid_out_file("x = 1\\n", Dialect.load("compact")) is None
    True
    """
    if dialect.is_python and not (dialect.layout == COMPACT and is_indented_as_compact(written)):
        return None
    try:
        return convert(written, source=dialect, target=PYTHON, path=NO_PATH)
    except SimPyError:
        return None


def give_back_sketch(known: ShownText, code: str, dialect: Dialect) -> tuple[str, str]:
    """Code with parts left out in the person's lines, and the whole text that it stands for.

    Raises:
        SimPyError: it is not certain what the parts are, or the new code is not proved.

    >>> known = ShownText("import a\\n\\n\\ndef f(x, y):\\n    return 1\\n", "")
    >>> give_back_sketch(known, "# ... existing code ...\\ndef f(x,y):return 2\\n", Dialect.load("compact"))[1]
    'import a\\n\\n\\ndef f(x, y):\\n    return 2\\n'
    """
    after = _filled(known.python, code, dialect)
    sketch = _sketch(known.python, after)
    if not is_same_program(after, _filled(known.python, sketch, Dialect.load(PYTHON))):
        raise EditError("the new code does not say what was asked for")
    return sketch, after


def _sketch(before: str, after: str) -> str:
    """The statements of the module that differ, whole and with the comments above them, and a line for those between."""
    lines = split_lines(after)
    ends = [statement.end_lineno or 0 for statement in ast.parse(after).body]
    if not ends:
        raise EditError("nothing is left of the file")
    ends[-1] = len(lines)
    touched: set[int] = set()
    for hunk in hunks_of(before, after, 1):
        last = hunk.new_line + max(len(split_lines(hunk.new)), 1) - 1
        touched.update(i for i, end in enumerate(ends) if (ends[i - 1] if i else 0) < last + 1 and end >= hunk.new_line)
    pieces = []
    for i, end in enumerate(ends):
        if i in touched:
            pieces += lines[ends[i - 1] if i else 0 : end]
        elif not pieces or pieces[-1] != _LEFT_OUT:
            pieces.append(_LEFT_OUT)
    return "".join(pieces)


def _filled(source: str, code: str, dialect: Dialect) -> str:
    (change,) = read_patch(code, "rewritten").changes
    text = PythonText(source.encode("utf-8", "surrogatepass"), dialect, NO_PATH, None)
    return text.change(change).decode("utf-8", "surrogatepass")
