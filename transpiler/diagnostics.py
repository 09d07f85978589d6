"""What to say of a text that cannot be read: where, in whose words, and what to do about it.

For Python, CPython's own words come first. For SimPy the common mistakes are a table: what stands there, what could have
stood there, and what to say; the first row that fits is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from simpy_grammar.aliases import ALIAS, AliasError
from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError, SimPySyntaxError, UnsupportedSyntaxError
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.table_cache import load_tables
from simpy_grammar.terminals import CLAUSE, ID, KEYWORDS, TERMINALS, named
from transpiler.nesting import DEEPEST
from transpiler.proof import parse_tree, python_error

_MAGIC_HINT = "this line is IPython's and not Python; `simpy encode` keeps such lines in notebooks (.ipynb)"
_FOUND = re.compile(rf"{ALIAS}|<[a-z_]+>|[^\W\d]\w*|\d[\w.]*|\s|[\s\S]")
_CLAUSES = named(CLAUSE)


class _Case(NamedTuple):
    """What a mistake looks like to the parser.

    Attributes:
        found: the text that stands there; empty at the end of the text.
        terminals: the terminals that this text spells in the dialect.
        expected: the terminals that could have stood there.
        dialect: the dialect that was read.
        lacks_operand: an operand must stand there.
    """

    found: str
    terminals: frozenset[str]
    expected: frozenset[str]
    dialect: Dialect
    lacks_operand: bool

    def spelled(self, terminal: str) -> str:
        """How the dialect spells a terminal."""
        return self.dialect.spellings.get(terminal, ("",))[0] or TERMINALS[ID[terminal]].python.strip()


Fits = Callable[[_Case], bool]
Says = Callable[[_Case], tuple[str, str]]


def _foreign(case: _Case) -> str | None:
    """Another built-in dialect that spells something as the text that was found."""
    if case.found in case.dialect.special_tokens:
        return None
    return next((name for name in BUILT_IN if case.found in Dialect.load(name).special_tokens), None)


_MISTAKES: tuple[tuple[Fits, Says], ...] = (
    (
        lambda case: not case.found and bool({")", "]"} & case.expected) and "BLOCK_END" not in case.expected,
        lambda case: ("the text ends inside brackets", f"close them with {' or '.join(sorted({')', ']', '}'} & case.expected))}"),
    ),
    (
        lambda case: not case.found and "BLOCK_END" in case.expected,
        lambda case: ("the text ends inside a block", f"close every block with {case.spelled('BLOCK_END')}"),
    ),
    (
        lambda case: not case.found,
        lambda case: ("the text ends in the middle of a statement", ""),
    ),
    (
        lambda case: case.found in ("'", '"'),
        lambda case: ("a string that is not closed", "close it with the same quotes that opened it"),
    ),
    (
        lambda case: bool(case.terminals & {"INNER_COMMENT"}) or case.found == "<comment>",
        lambda case: (
            "a <comment> outside brackets",
            "a comment on its own line or at the end of a statement is written without <comment>",
        ),
    ),
    (
        lambda case: bool(case.terminals) and case.lacks_operand,
        lambda case: (f"an operand is missing before {case.found!r}", ""),
    ),
    (
        lambda case: bool(case.terminals & {"BLOCK_END"}) and "BLOCK_END" not in case.expected,
        lambda case: (f"{case.found} without an open block, or in the middle of a statement", ""),
    ),
    (
        lambda case: bool(case.terminals & set(_CLAUSES)),
        lambda case: (
            f"{case.found} without its statement",
            "a clause follows the block end of the statement it belongs to, with nothing between",
        ),
    ),
    (
        lambda case: _foreign(case) is not None,
        lambda case: (f"{case.found} is not a token of the dialect {case.dialect.name}", f"this looks like the dialect {_foreign(case)}"),
    ),
    (
        lambda case: re.fullmatch(ALIAS, case.found) is not None and not case.dialect.aliases,
        lambda case: (
            f"{case.found} is an alias of a name, and the dialect {case.dialect.name} has none",
            f"name the dialect {case.dialect.name}-aliases-64",
        ),
    ),
    (
        lambda case: re.fullmatch(r"<[a-z_]+>", case.found) is not None and not case.terminals,
        lambda case: (f"{case.found} is not a token of SimPy", ""),
    ),
    (
        lambda case: case.found in KEYWORDS,
        lambda case: (f"the Python keyword {case.found!r}", "SimPy spells it otherwise; is this text Python?"),
    ),
    (
        lambda case: case.found.isspace(),
        lambda case: ("white space where it means nothing", "every blank and line break of SimPy is a token; leave out what is not needed"),
    ),
    (
        lambda case: "LINE_SEP" in case.expected,
        lambda case: (
            f"unexpected {case.found!r} after a statement",
            f"separate an expression statement from the one before it with {case.spelled('LINE_SEP')!r}",
        ),
    ),
)


def explain(text: str, error: StuckError | LexError, dialect: Dialect, path: str | None) -> SimPyError:
    """The error for a text of a dialect that cannot be read on."""
    if dialect.is_python:
        return _explain_python(text, error, path)
    return _explain_simpy(text, error, dialect, path)  # type: ignore[arg-type]  # only the lexer of Python has errors of its own


def too_deep(text: str, offset: int, dialect: Dialect, path: str | None) -> SimPyError:
    """The error for a text whose blocks nest too deep, from an offset on."""
    if dialect.is_python:
        return UnsupportedSyntaxError.at(text, offset, "too deep nesting", path=path)
    return SimPySyntaxError.at(text, offset, f"more than {DEEPEST} blocks in each other", path=path)


def _explain_python(text: str, error: StuckError | LexError, path: str | None) -> SimPyError:
    message = error.message if isinstance(error, LexError) else "invalid syntax"
    try:
        tree = parse_tree(text)
    except SyntaxError as refused:
        found = python_error(text, refused, path) if refused.lineno else PythonSyntaxError.at(text, error.offset, message, path=path)
        return _with_magic_hint(found)
    what = "too deep nesting" if tree is None else "valid Python that the grammar has no rule for"
    return UnsupportedSyntaxError.at(text, error.offset, what, path=path)


def _with_magic_hint(error: SimPyError) -> SimPyError:
    """An error with a hint if its line is one of IPython's."""
    line = error.source_line.strip()
    if line and not error.hint:
        from transpiler.magics import is_magic  # needed after a mistake only

        if is_magic(line):
            error.hint = _MAGIC_HINT
    return error


def _explain_simpy(text: str, stuck: StuckError, dialect: Dialect, path: str | None) -> SimPySyntaxError:
    if isinstance(stuck, AliasError):
        return SimPySyntaxError.at(text, stuck.offset, stuck.message, path=path, hint=stuck.hint)
    match = _FOUND.match(text, stuck.offset)
    found = match[0] if match else ""
    tokens = _tokens(dialect, stuck)
    expected = _terminals(dialect, tokens)
    spelled = frozenset(name for name, texts in dialect.spellings.items() if found and found in texts)
    lacks_operand = {"NAME", "NUMBER"} <= tokens and not {"LINE_SEP", "DEF"} & expected
    case = _Case(found, spelled, expected, dialect, lacks_operand)
    message, hint = next((says(case) for fits, says in _MISTAKES if fits(case)), (f"unexpected {found!r}", _expectation(dialect, tokens)))
    return SimPySyntaxError.at(text, stuck.offset, message, path=path, hint=hint)


def _tokens(dialect: Dialect, stuck: StuckError) -> frozenset[str]:
    """The tokens of the tables that could have stood there."""
    names = SimPyReader(dialect).automaton.token_of
    return frozenset(names[key] for key in stuck.expected)


def _terminals(dialect: Dialect, tokens: Collection[str]) -> frozenset[str]:
    """The terminals that tokens of the parser spell."""
    patterns = load_tables(dialect).patterns
    texts = {patterns[token][1] for token in tokens if token in patterns and patterns[token][0] == "str"}
    return frozenset((*(name for name, spelled in dialect.spellings.items() if texts & set(spelled)), *texts & set(ID)))


def _expectation(dialect: Dialect, tokens: Collection[str]) -> str:
    patterns = load_tables(dialect).patterns
    known = [token for token in tokens if token in patterns]
    if not 0 < len(known) <= 6:
        return "an operand is missing" if "NAME" in known else ""
    spelled = sorted(repr(patterns[token][1]) for token in known if patterns[token][0] == "str")
    called = sorted(_called(token) for token in known if patterns[token][0] != "str")
    return "expected " + " or ".join(spelled + called)


def _called(token: str) -> str:
    """What people call a token whose texts are many."""
    word = token.lower().replace("_", " ")
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"
