"""The proof that a converted program is the same program: its syntax tree is compared with that of the source.

CPython judges, so that a fault of our reader, which reads both sides, cannot hide. Where this interpreter is too old for
the source, tree-sitter-python is the witness.
"""

from __future__ import annotations

import _ast
import gc
import os
import warnings
from _thread import allocate_lock
from collections.abc import Callable
from itertools import compress
from operator import attrgetter, is_not

from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError
from simpy_grammar.native import core
from simpy_grammar.stream import SPACE_ID, Stream
from simpy_grammar.terminals import COMMENT, DATA, ID, SEPARATOR, TERMINALS, ids

TYPE_CHECKING = False  # importing typing takes long
REPORT = "this is a bug of the converter: please report it with the file"
_COMMENTS, _DATA = ids(COMMENT), ids(DATA)
# Which comma it is, a tuple without its parentheses says otherwise.
_KINDS = [ID["COMMA"] if terminal.role == SEPARATOR else terminal.id for terminal in TERMINALS]
_UNSAID = (SPACE_ID, ID["WITH_PARENTHESES"])  # of the terminals, those that no spelling writes


def parse_tree(text: str) -> _ast.AST | None:
    """The syntax tree of a program, or ``None`` if it nests too deep for this interpreter.

    Raises:
        SyntaxError: this interpreter does not read the text.
    """
    with _parsing, _collector, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _parse(text)


def _parse(text: str) -> _ast.AST | None:
    """What ``parse_tree`` does, where nothing else of ours parses and warnings are ignored."""
    for _ in range(_TRIES - 1):
        try:
            return _parse_once(text)
        except SystemError:  # another thread of the program parses at the same time
            continue
    return _parse_once(text)


def _parse_once(text: str) -> _ast.AST | None:
    try:
        # On a syntax error CPython looks for the line in the file of this name: no file has the empty one.
        return compile(text, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    except (RecursionError, MemoryError):
        return None
    except SyntaxError as error:
        if "too many nested parentheses" in str(error) or "too many levels of indentation" in str(error):
            return None
        raise
    except ValueError as error:  # a literal with too many digits, a NUL character
        raise SyntaxError(str(error)) from None


# Until 3.13 the threads of CPython share one counter of how deep a tree is: where two build trees at the same time, it is
# wrong for both, which CPython notices (SystemError) or takes for too deep a tree. The filters of warnings are shared too.
_parsing = allocate_lock()
_TRIES = 8  # what other code of the program parses is not under our lock


class _Collector:
    """Pauses the collector of cycles: a tree has none, and looking for them takes a fifth of the time that parsing takes.

    What is freed before it goes on, it never looks at.
    """

    paused = False

    def __enter__(self) -> None:
        self.paused = gc.isenabled()
        if self.paused:
            gc.disable()

    def __exit__(self, *error: object) -> None:
        if self.paused:
            gc.enable()
        self.paused = False


_collector = _Collector()  # used under the lock


def _reset_after_fork() -> None:
    global _parsing  # a thread that is not in the child may have held it
    _parsing = allocate_lock()
    _collector.__exit__()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


class _Fields(dict[type, "Callable[[object], tuple[object, ...]] | None"]):
    """Class of a node -> what gives all its fields at once; ``None`` for a class whose values are compared as they are."""

    def __missing__(self, cls: type) -> Callable[[object], tuple[object, ...]] | None:
        names = getattr(cls, "_fields", ())
        found: Callable[[object], tuple[object, ...]] | None
        if cls is list:
            found = _elements
        elif not issubclass(cls, _ast.AST):
            found = None
        elif not names:
            found = _no_fields
        else:
            found = attrgetter(*names, "__class__")  # of one name alone it would give no tuple
        self[cls] = found
        return found


def _elements(items: object) -> tuple[object, ...]:
    return tuple(items)  # type: ignore[arg-type]  # a list


def _no_fields(node: object) -> tuple[object, ...]:
    return ()


_FIELDS = _Fields()
_MANY_LEVELS, _MANY_PAIRS = 1_000, 1 << 16


def same_tree(one: _ast.AST, other: _ast.AST) -> bool:
    """Whether two trees are the same in every node, field and constant, positions aside: what equal ``ast.dump`` says.

    >>> same_tree(parse_tree("f( x )"), parse_tree("f(x)")), same_tree(parse_tree("1.0"), parse_tree("1"))
    (True, False)
    """
    same: bool | None = None if core is None else core.same_tree(one, other)
    return same_by_level(one, other) if same is None else same


def same_by_level(one: _ast.AST, other: _ast.AST) -> bool:
    """What ``same_tree`` says, in Python.

    The trees are compared level by level. Names, operators and contexts are mostly the same objects in both, so most pairs are
    dropped without a look at their classes. A tree that somebody has built may hold a node often, and even in itself: where there
    are more levels or pairs than programs have, no pair is compared twice.

    >>> same_by_level(parse_tree("a, b"), parse_tree("(a, b)"))
    True
    """
    ones, others = [one], [other]
    seen: set[tuple[int, int]] = set()
    level = 0
    while ones:
        level += 1
        if level > _MANY_LEVELS or len(ones) > _MANY_PAIRS:
            new = {pair: at for at, pair in enumerate(zip(map(id, ones), map(id, others), strict=True)) if pair not in seen}
            seen.update(new)
            ones, others = [ones[at] for at in new.values()], [others[at] for at in new.values()]
        classes = list(map(type, ones))
        if classes != list(map(type, others)):
            return False
        below: list[object] = []
        other_below: list[object] = []
        for cls, a, b in zip(classes, ones, others, strict=True):
            fields = _FIELDS[cls]
            if fields is None:
                # Written out, 0.0 and -0.0 differ.
                if a != b or ((cls is float or cls is complex) and repr(a) != repr(b)):
                    return False
            elif cls is list and len(a) != len(b):  # type: ignore[arg-type]  # both are lists
                return False
            else:
                try:
                    found, other_found = fields(a), fields(b)
                except AttributeError:  # a field that is missing, such as an absent optional child, is the same as None
                    found, other_found = (tuple(getattr(node, name, None) for name in getattr(cls, "_fields", ())) for node in (a, b))
                below += found
                other_below += other_found
        differ = list(map(is_not, below, other_below))
        ones, others = list(compress(below, differ)), list(compress(other_below, differ))  # type: ignore[arg-type]  # nodes and values
    return True


def same_lexemes(one: Stream, other: Stream) -> bool:
    """Whether two programs are the same lexemes, parentheses aside that mean nothing.

    >>> stream = Stream()
    >>> stream.append("NAME", "a")
    >>> same_lexemes(stream, stream), same_lexemes(stream, Stream())
    (True, False)
    """
    return _told(one) == _told(other)


def _told(stream: Stream) -> list[tuple[int, str]]:
    from transpiler.parentheses import redundant_parentheses  # of `compact` only

    left_out = {*redundant_parentheses(stream)}
    return [
        (_KINDS[terminal], text.rstrip("\n") if terminal in _COMMENTS else text if terminal in _DATA else "")
        for i, (terminal, text) in enumerate(zip(stream.terminals, stream.texts, strict=True))
        if terminal not in _UNSAID and i not in left_out
    ]


def python_error(text: str, error: SyntaxError, path: str | None, hint: str = "") -> PythonSyntaxError:
    """CPython's syntax error in our form."""
    line = error.lineno or 1
    lines = text.split("\n")
    source_line = lines[min(line, len(lines)) - 1]
    # CPython counts the columns of some errors from the start of a string of several lines, and so beyond the line.
    column = min(max(error.offset or 1, 1), len(source_line) + 1)
    return PythonSyntaxError(error.msg or "invalid syntax", path=path, line=line, column=column, source_line=source_line, hint=hint)


def prove(text: str, read: Callable[[], Stream], decoded: Callable[[], str], path: str | None) -> None:
    """Show that a converted program is the program that ``text`` is.

    Args:
        text: the source.
        read: gives what our reader reads of it.
        decoded: gives the converted program as Python.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python; or only a newer Python can tell, and the witness cannot read it either.
        RoundTripError: it is another program.
    """
    try:
        python = decoded()
    except Exception:  # what is wrong with the source goes first
        python = None
    try:
        same = _same_program(text, python, path)
        if python is None:
            same = _same_program(text, _python(decoded, path), path)
    except SyntaxError as error:
        _prove_by_witness(text, read, decoded, path, error)
        return
    if not same:
        raise RoundTripError("the decoded program has another syntax tree", path=path, hint=REPORT)


def _same_program(text: str, python: str | None, path: str | None) -> bool:
    """Whether Python reads two texts as one program, or cannot tell because the first nests too deep.

    Raises:
        SyntaxError: the first is not Python.
        RoundTripError: the second is not.
    """
    with _parsing, _collector, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _same_trees(text, python, path)  # the trees are gone when it returns


def _same_trees(text: str, python: str | None, path: str | None) -> bool:
    expected = _parse(text)
    if expected is None or python is None or python == text:
        return True
    try:
        found = _parse(python)
    except SyntaxError as error:
        raise RoundTripError(f"the decoded program is not Python: {error}", path=path, hint=REPORT) from error
    return found is not None and same_tree(expected, found)


def _python(decoded: Callable[[], str], path: str | None) -> str:
    try:
        return decoded()
    except SimPyError as error:
        raise RoundTripError(f"the encoded program does not decode: {error.message}", path=path, hint=REPORT) from error


def _prove_by_witness(text: str, read: Callable[[], Stream], decoded: Callable[[], str], path: str | None, error: SyntaxError) -> None:
    from transpiler.versions import RUNNING, needed_version  # only where this interpreter cannot read the source
    from transpiler.witness import same_program

    needed = needed_version(read())
    if needed <= RUNNING:
        raise python_error(text, error, path) from None
    same = same_program(text, _python(decoded, path))
    if same is None:
        version = "{}.{}".format(*needed)
        raise PythonSyntaxError(
            f"needs Python {version} to be proved, and this is Python {RUNNING[0]}.{RUNNING[1]}",
            path=path,
            line=error.lineno or 1,
            column=max(error.offset or 1, 1),
            source_line=python_error(text, error, path).source_line,
            hint=f"convert it with Python {version} or newer, or without the proof",
        ) from None
    if not same:
        raise RoundTripError("the decoded program has another syntax tree", path=path, hint=REPORT)
