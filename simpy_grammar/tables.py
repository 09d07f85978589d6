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

from collections.abc import Iterable, Iterator, Sequence

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


class Actions(dict[int, dict[Key, int]]):
    """State -> what the tokens are called -> next state, or -1 - rule for a reduction. Each row is made when it is first asked for."""

    def __init__(self, tables: Tables, labels: list[Key]) -> None:
        self._states, self._sets, self._labels = tables.states, tables.sets, labels
        self._labelled: dict[int, list[Key]] = {}  # the sets that were asked for

    def __missing__(self, state: int) -> dict[Key, int]:
        shifts, reductions, _ = self._states[state].split(";")
        labels = self._labels
        row = {labels[token]: target for token, target in _pairs(shifts)}
        for rule, group in _pairs(reductions):
            found = self._labelled.get(group)
            if found is None:
                found = self._labelled[group] = [labels[int(token)] for token in self._sets[group].split()]
            row.update(dict.fromkeys(found, -1 - rule))
        self[state] = row
        return row


class _Gotos(dict[int, dict[str, int]]):
    """The goto rows, likewise."""

    def __init__(self, tables: Tables) -> None:
        self._states, self._names = tables.states, tables.names

    def __missing__(self, state: int) -> dict[str, int]:
        row = self[state] = {self._names[name]: target for name, target in _pairs(self._states[state].rpartition(";")[2])}
        return row


class _Rules(dict[int, tuple[str, int, str | None]]):
    """The rules, likewise."""

    def __init__(self, lines: list[str], names: list[str]) -> None:
        self._lines, self._names = lines, names

    def __missing__(self, index: int) -> tuple[str, int, str | None]:
        name, length, terminal = self._lines[index].split(" ")
        rule = self[index] = self._names[int(name)], int(length), terminal or None
        return rule


class Tables:
    """LALR(1) tables.

    Args:
        text: what ``tables_text`` has written.

    Attributes:
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: state -> token -> next state, or -1 - rule for a reduction.
        gotos: state -> rule name -> next state.
        shifted: for each state, the terminal that a shift into it has read; empty if the next token tells which, ``None`` if
            a reduction leads there.
        rules: for each rule its name, its length, and the terminal that reducing it stands for (mostly ``None``).

    Raises:
        ValueError: the text is not that of tables.
    """

    def __init__(self, text: str) -> None:
        tokens, values, names, rules, shifted, sets, *self.states = text.split("\n")
        self.tokens, self.names, self.sets = tokens.split("\t"), names.split("\t"), sets.split("\t")
        self.patterns = {
            token: ("str" if value[0] == "s" else "re", _unescape(value[3 if value[0] == "s" else 2 :]))
            for token, value in zip(self.tokens, values.split("\t"), strict=False)
        }
        self.shifted = [None if terminal == _NOT_SHIFTED else terminal for terminal in shifted.split("\t")]
        if len(self.states) != len(self.shifted):
            raise ValueError("some states are missing")
        self.rules = _Rules(rules.split("\t"), self.names)
        self.actions = Actions(self, list(self.tokens))
        self.gotos = _Gotos(self)
        self.automaton: object = None  # what a lexer has made of them

    def __len__(self) -> int:
        return len(self.shifted)
