"""Files that a model writes as a whole, and code with parts left out, in the layout of the person's file."""

from __future__ import annotations

from dualcode.conversion.tool_calls.hunks import hunks_of
from dualcode.conversion.tool_calls.texts import Text
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import EditError, SimPyError
from transpiler.conversion import convert
from transpiler.edits import merge
from transpiler.patches import read_patch
from transpiler.patches.python_text import PythonText
from transpiler.proof import parse_tree, same_tree
from transpiler.views import strip_numbers

_PATH = "<known>"
_CONTEXT = 3
_LEFT_OUT = "# ... existing code ...\n"


def give_back_file(known: Text, written: str, dialect: Dialect) -> str:
    """A whole file that a model has rewritten, with the person's layout where it says the same.

    Raises:
        SimPyError: it is not a program, or the proof fails.

    >>> give_back_file(Text("x  =  1  # one\\ny  =  2\\n", ""), "x=1# one\\ny=3\\n", Dialect.load("compact"))
    'x  =  1  # one\\ny  =  3\\n'
    """
    failed: SimPyError | None = None
    python = Dialect.load(PYTHON)
    for view in dict.fromkeys((dialect if not dialect.is_python else python, python)):
        for text in dict.fromkeys((written, strip_numbers(written, dialect=dialect if dialect.layout == COMPACT else COMPACT))):
            try:
                return merge(known.python, text, dialect=view, path=_PATH).text
            except SimPyError as error:
                failed = failed or error
    raise failed or EditError("nothing was written")


def laid_out_file(written: str, dialect: Dialect) -> str | None:
    """A new file as people read it, if it is written in the dialect of the model; ``None`` if it is not, or is Python for people.

    >>> laid_out_file("def f(x):\\n\\tif x:return 1\\n\\treturn 2\\n", Dialect.load("compact"))
    'def f(x):\\n    if x:\\n        return 1\\n    return 2\\n'
    >>> laid_out_file("x = 1\\n", Dialect.load("compact")) is None
    True
    """
    if dialect.is_python and not (dialect.layout == COMPACT and "\n\t" in written):
        return None
    try:
        return convert(written, source=dialect, target=PYTHON, path=_PATH)
    except SimPyError:
        return None


def give_back_sketch(known: Text, code: str, dialect: Dialect) -> tuple[str, str]:
    """Code with parts left out in the person's lines, and the whole text that it stands for.

    Raises:
        SimPyError: it cannot be told what the parts are, or the new code is not proved.
    """
    after = _filled(known.python, code, dialect)
    pieces = []
    last = 0
    lines = after.count("\n") + (not after.endswith("\n"))
    for hunk in hunks_of(known.python, after, _CONTEXT):
        new = hunk.new
        if hunk.new_line > last + 1:
            pieces.append(new[: len(new) - len(new.lstrip(" \t"))] + _LEFT_OUT)
        pieces.append(new)
        last = hunk.new_line + new.count("\n") - 1
    if last < lines:
        pieces.append(_LEFT_OUT)
    sketch = "".join(pieces)
    trees = parse_tree(after), parse_tree(_filled(known.python, sketch, Dialect.load(PYTHON)))
    if trees[0] is None or trees[1] is None or not same_tree(trees[0], trees[1]):
        raise EditError("the new code does not say what was asked for")
    return sketch, after


def _filled(source: str, code: str, dialect: Dialect) -> str:
    (change,) = read_patch(code, "rewritten").changes
    text = PythonText(source.encode("utf-8", "surrogatepass"), dialect, _PATH, None)
    return text.change(change).decode("utf-8", "surrogatepass")
