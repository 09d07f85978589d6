"""The lexeme stream of a SimPy text, and the spelling of a stream in a dialect: together, conversion between dialects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simpy_grammar.dialect import Dialect
from simpy_grammar.parser import Action, Parser, StuckError
from simpy_grammar.tables import load_tables
from simpy_grammar.terminals import DATA, GENERAL, LAYOUT, PYTHON
from transpiler.layout import CLAUSES, DEFINITIONS, HEADERS, SIMPLE_KEYWORDS, TooDeepError

if TYPE_CHECKING:
    from pathlib import Path


class Lexeme(NamedTuple):
    """A terminal in its context, and its text.

    Attributes:
        terminal: a name of ``simpy_grammar.terminals``, in its general form.
        text: how the SimPy text spells it; empty if it is implied.
        start: offset of its first character in the SimPy text.
    """

    terminal: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    @property
    def is_data(self) -> bool:
        """Whether the text is the program's own: a name, a literal or a comment."""
        return self.terminal in _DATA


_DATA = frozenset((*DATA, "COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT"))


def lexemes(simpy: str, *, dialect: str | Path | Dialect = "classic", implied: bool = False, path: str | None = None) -> list[Lexeme]:
    """The lexemes of a SimPy text. Their texts join to the text.

    Args:
        simpy: the text.
        dialect: its dialect; not ``compact``, which is Python.
        implied: include the lexemes that the dialect leaves out, with empty text.
        path: the file, for messages.

    Raises:
        SimPySyntaxError: the text is not SimPy of this dialect.

    >>> [(lexeme.terminal, lexeme.text) for lexeme in lexemes("<return>a b")]
    [('RETURN', '<return>'), ('NAME', 'a'), ('EXPRESSION_SEP', ' '), ('NAME', 'b')]
    """
    chosen = Dialect.load(dialect)
    found: list[Lexeme] = []
    unknown: list[int] = []  # a token whose terminal only the next one tells
    at = 0

    def action(terminal: str) -> Callable[[object, str], None]:
        general = GENERAL.get(terminal, terminal)

        def add(_: object, text: str) -> None:
            nonlocal at
            if not text and unknown:
                index = unknown.pop()
                found[index] = Lexeme(general, found[index].text, found[index].start)
            elif text or implied:
                found.append(Lexeme(general, text, at))
                at += len(text)

        return add

    def add_unknown(_: object, text: str) -> None:
        nonlocal at
        unknown.append(len(found))
        found.append(Lexeme("", text, at))
        at += len(text)

    actions: dict[str, Action] = {terminal: action(terminal) for terminal in (*PYTHON, *DATA, *LAYOUT, *GENERAL)}
    actions[""] = add_unknown
    try:
        Parser(load_tables(chosen), actions, []).read_all(simpy)
    except StuckError as stuck:
        from transpiler.mistakes import explain  # only on an error

        raise explain(simpy, stuck, chosen, path) from None
    return found


_STATEMENT_KEYWORDS = frozenset((*SIMPLE_KEYWORDS, *DEFINITIONS, *HEADERS, "ASYNC")) - {"CASE"}
_CLAUSE_KEYWORDS = frozenset((*CLAUSES, "CASE"))
_BARE_HEADERS = frozenset(("ELSE_STMT", "TRY", "FINALLY"))
_CLOSING = frozenset(")]}'\"")
_OPENING = frozenset("([{'\"")


def spell(stream: Sequence[Lexeme], dialect: str | Path | Dialect) -> str:
    """The text of a whole stream, implied lexemes included, in a dialect.

    >>> spell(lexemes("<if_stmt>a<block_start><pass><block_end>", implied=True), "dense")
    '<if_stmt>a{'
    """
    spellings = Dialect.load(dialect).spellings
    terminals = [lexeme.terminal for lexeme in stream]
    last = len(terminals)
    while last and terminals[last - 1] == "BLOCK_END":
        last -= 1
    kinds: list[str] = []
    out: list[str] = []
    apart: list[tuple[int, tuple[str, ...]]] = []
    for i, lexeme in enumerate(stream):
        terminal = lexeme.terminal
        following = terminals[i + 1] if i + 1 < len(terminals) else ""
        if terminal == "BLOCK_START":
            header = terminals[i - 2] if terminals[i - 1] == "HEADER_COMMENT" else terminals[i - 1]
            only_pass = following == "PASS" and terminals[i + 2 : i + 3] == ["BLOCK_END"] and "ONLY_PASS" in spellings
            match = following == "CASE" or (following == "COMMENT" and _first_is_case(terminals, i + 1))
            terminal = _block_start(header, "ONLY_PASS" if only_pass else following)
            kinds.append("MATCH_BLOCK_END" if match else "BLOCK_END")
        elif terminal == "BLOCK_END":
            terminal = kinds.pop()
            if i >= last and "FINAL_BLOCK_END" in spellings:
                terminal = "FINAL_BLOCK_END"
            elif following in _CLAUSE_KEYWORDS:
                terminal = "CLAUSE_BLOCK_END"
        elif terminal == "PASS" and terminals[i - 1] == "BLOCK_START" and following == "BLOCK_END" and "ONLY_PASS" in spellings:
            terminal = "ONLY_PASS"
        texts = spellings.get(terminal, (lexeme.text,))
        if len(texts) > 1:
            apart.append((len(out), texts))
        out.append(texts[0])
    for i, texts in apart:
        if out[i - 1][-1:] in _CLOSING and out[i + 1][:1] in _OPENING:
            out[i] = texts[1]
    return "".join(out)


def _first_is_case(terminals: Sequence[str], at: int) -> bool:
    while terminals[at] == "COMMENT":
        at += 1
    return terminals[at] == "CASE"


def _block_start(header: str, first: str) -> str:
    """Which block start stands between a header and the first statement of its block."""
    if header == "EXCEPT":
        return "EXPLICIT_BLOCK_START"
    if header in _BARE_HEADERS:
        return "EXPLICIT_BLOCK_START" if first == "COMMENT" else "BARE_BLOCK_START"
    if first == "CASE":
        return "MATCH_BLOCK_START"
    return "KEYWORD_BLOCK_START" if first in _STATEMENT_KEYWORDS else "BLOCK_START"


def convert(text: str, *, source: str | Path | Dialect, target: str | Path | Dialect, path: str | None = None) -> str:
    """Convert a program from one dialect to another, through the lexeme stream.

    Raises:
        SimPySyntaxError, PythonSyntaxError: the text is not a program of the source dialect.

    >>> convert("<if_stmt>a<block_start>x=1<line_sep>y=2<block_end>", source="classic", target="dense")
    '<if_stmt>a{x=1;y=2'
    """
    from transpiler.encode import encode_text  # Python on either side needs the encoder; SimPy to SimPy does not
    from transpiler.source import read_source

    old, new = Dialect.load(source), Dialect.load(target)
    if old.is_python:
        return encode_text(read_source(text, path=path), new, path)
    if new.is_python:
        from transpiler.compact import compact

        try:
            return compact(convert(text, source=old, target="classic", path=path))
        except TooDeepError as stuck:
            from transpiler.mistakes import deepest, explain  # only on an error

            stuck.offset = deepest(text, old)
            raise explain(text, stuck, old, path) from None
    return spell(lexemes(text, dialect=old, implied=True, path=path), new)
