"""The compiled tables of a dialect. ``simpy_grammar.compile`` makes them, ``simpy_grammar.table_cache`` keeps them, and
``simpy_grammar.reader`` runs on them.

They are kept as lines of text, of which a short run reads few: numbers stand for tokens, names of rules and sets of tokens,
and the line of a state is taken apart when the parser first comes there.

    (  )  =  NAME ...               the tokens
    str(  str)  re[^\\W\\d]...    their patterns
    module  statement ...           the names of rules
    0 1 LINE_SEP  1 3  ...          for each rule its name, its length, and the terminal that reducing it stands for
    -  NAME  (  ...                 for each state what was shifted
    0 3  1 4 9  ...                 the sets of tokens
    0 2 3 9;7 0 8 1;4 12            for each state shifts (token, state, ...), reductions (rule, set, ...), gotos (name, state, ...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import TypeVar

    Label = TypeVar("Label", bound="Key")
    Row = TypeVar("Row")

END = "$END"
Key = str | int  # what the lexer of a dialect calls a token
_NOT_SHIFTED = "-"


def tables_text(
    patterns: dict[str, tuple[str, str]],
    names: Iterable[str],
    rules: Iterable[tuple[int, int, str | None]],
    shifted: Iterable[str | None],
    sets: Iterable[Sequence[int]],
    states: Iterable[Sequence[Sequence[int]]],
) -> str:
    """The text of tables; see ``Tables`` for what is in them."""
    lines = [
        [*patterns, END],
        [kind + _escape(value) for kind, value in patterns.values()],
        names,
        [f"{name} {length} {terminal or ''}" for name, length, terminal in rules],
        [_NOT_SHIFTED if terminal is None else terminal for terminal in shifted],
        [_line(numbers) for numbers in sets],
        *([";".join(map(_line, parts))] for parts in states),
    ]
    return "\n".join(map("\t".join, lines))


def _line(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))


_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"))


def _escape(text: str) -> str:
    for char, code in _ESCAPES:
        text = text.replace(char, code)
    return text


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\n", "\n").replace("\\t", "\t") for part in text.split("\\\\"))


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    numbers = map(int, text.split())
    return zip(numbers, numbers, strict=True)


class Rows(dict[int, "Row"]):
    """Rows by number. Each is made when it is first used."""

    def __init__(self, make: Callable[[int], Row]) -> None:
        self._make = make

    def __missing__(self, number: int) -> Row:
        row = self[number] = self._make(number)
        return row


class Tables:
    """LALR(1) tables.

    Args:
        text: what ``tables_text`` has written.

    Attributes:
        text: the argument.
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: state -> token -> next state, or -1 - rule for a reduction.
        gotos: state -> rule name -> next state.
        shifted: for each state, the terminal that a shift into it reads; empty if the next token decides which, ``None`` if
            a reduction leads there.
        rules: for each rule, its name, its length, and the terminal that its reduction stands for (mostly ``None``).

    Raises:
        ValueError: the text is not that of tables.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tokens, values, names, rules, shifted, sets, *states = text.split("\n")
        self.tokens, self._names, self._sets = tokens.split("\t"), names.split("\t"), sets.split("\t")
        self._rules, self._states = rules.split("\t"), states
        self.patterns = {
            token: ("str", _unescape(value[3:])) if value.startswith("str") else ("re", _unescape(value[2:]))
            for token, value in zip(self.tokens, values.split("\t"), strict=False)
        }
        self.shifted = [None if terminal == _NOT_SHIFTED else terminal for terminal in shifted.split("\t")]
        if len(states) != len(self.shifted):
            raise ValueError("some states are missing")
        self.rules = Rows(self._rule)
        self.actions = self.actions_by(self.tokens)
        self.gotos = Rows(self._gotos_of)
        self.automata: dict[int, object] = {}  # what lexers have made of them, by how many aliases there are
        self.text = text
        self.native: tuple[object] | None = None  # what the native core has made of them
        self.sources: dict[int, object] = {}  # what it reads with, by how many aliases there are

    def __len__(self) -> int:
        return len(self.shifted)

    def actions_by(self, labels: Sequence[Label]) -> Rows[dict[Label, int]]:
        """The actions by what a lexer calls the tokens, in the order of ``tokens``."""
        labelled: Rows[list[Label]] = Rows(lambda group: [labels[int(token)] for token in self._sets[group].split()])

        def actions_of(state: int) -> dict[Label, int]:
            shifts, reductions, _ = self._states[state].split(";")
            row = {labels[token]: target for token, target in _pairs(shifts)}
            for rule, group in _pairs(reductions):
                row.update(dict.fromkeys(labelled[group], -1 - rule))
            return row

        return Rows(actions_of)

    def _gotos_of(self, state: int) -> dict[str, int]:
        return {self._names[name]: target for name, target in _pairs(self._states[state].rpartition(";")[2])}

    def _rule(self, number: int) -> tuple[str, int, str | None]:
        name, length, terminal = self._rules[number].split(" ")
        return self._names[int(name)], int(length), terminal or None
