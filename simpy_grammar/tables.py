"""The compiled tables of a dialect. ``simpy_grammar.compile`` makes them, ``simpy_grammar.table_cache`` keeps them, and
``simpy_grammar.reader`` runs on them.

They are kept in one form, which is used where it lies: nothing is taken apart before it is needed. Lines of text come first:

    (  )  =  NAME ...               the tokens
    str(  str)  re[^\\W\\d]...    their patterns
    module  statement ...           the names of rules
    0 1 LINE_SEP  1 3  ...          for each rule its name, its length, and the terminal that reducing it stands for
    -  NAME  (  ...                 for each state what was shifted
    35120  10460                    how many cells there are for actions and for gotos

Then, as little-endian numbers, for each state where its row of actions begins (4 bytes), the cells of actions, for each state where
its row of gotos begins, and the cells of gotos. Rows lie over each other, so that one fills the gaps of others. A cell has 2 bytes for
the token or the name that it belongs to and 2 for a number: for an action state + 1, or -1 - rule, for a goto the state. So what a state
does with a token is in the cell that far after the beginning of its row, if that cell belongs to the token, and nothing otherwise.
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
_NO_COLUMN = 0xFFFF
_START, _CELL = 4, 4  # bytes
_LINES = 6  # of text
_NEAR = 2048  # cells before the last one, where room is looked for


def tables_data(
    patterns: dict[str, tuple[str, str]],
    names: Iterable[str],
    rules: Iterable[tuple[int, int, str | None]],
    shifted: Iterable[str | None],
    actions: Sequence[dict[int, int]],
    gotos: Sequence[dict[int, int]],
) -> bytes:
    """The stored form of tables; see ``Tables`` for what is in them. Tokens and names are numbers in ``actions`` and ``gotos``."""
    rows = [{token: action + (action >= 0) for token, action in row.items()} for row in actions]
    named = list(names)
    packed = [_pack(rows, len(patterns) + 1), _pack(gotos, len(named))]
    lines = [
        [*patterns, END],
        [kind + _escape(value) for kind, value in patterns.values()],
        named,
        [f"{name} {length} {terminal or ''}" for name, length, terminal in rules],
        [_NOT_SHIFTED if terminal is None else terminal for terminal in shifted],
        [str(len(cells) // _CELL) for _, cells in packed],
    ]
    return "\n".join(map("\t".join, lines)).encode() + b"\n" + b"".join(starts + cells for starts, cells in packed)


def _pack(rows: Sequence[dict[int, int]], width: int) -> tuple[bytes, bytes]:
    """Where each row begins, and the cells. Long rows first, each at the first place where it fits."""
    from struct import pack  # needed once per dialect

    taken = 0  # the cells of rows, as bits
    begun = 0  # those at which a row begins: no other may, since a cell tells whose column it is, not whose row
    places: dict[tuple[tuple[int, int], ...], int] = {}
    ordered = [tuple(sorted(row.items())) for row in rows]
    for row in sorted(set(ordered), key=lambda row: (-len(row), row)):
        least = max(taken.bit_length() - _NEAR, 0)
        refused, above = begun >> least, taken >> least
        for column, _ in row:
            refused |= above >> column
        place = places[row] = least + (~refused & refused + 1).bit_length() - 1
        begun |= 1 << place
        taken |= sum(1 << column for column, _ in row) << place
    count = max(places.values(), default=0) + width
    cells = [_NO_COLUMN, 0] * count
    for row, place in places.items():
        for column, value in row:
            cells[2 * (place + column) : 2 * (place + column) + 2] = column, value
    return pack(f"<{len(rows)}I", *(places[row] for row in ordered)), pack("<" + "Hh" * count, *cells)


_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"))


def _escape(text: str) -> str:
    for char, code in _ESCAPES:
        text = text.replace(char, code)
    return text


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\n", "\n").replace("\\t", "\t") for part in text.split("\\\\"))


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
        data: what ``tables_data`` has written.

    Attributes:
        data: the argument.
        tokens: what the grammar calls the tokens.
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: state -> token -> next state, or -1 - rule for a reduction.
        gotos: state -> rule name -> next state.
        shifted: for each state, the terminal that a shift into it reads; empty if the next token decides which, ``None`` if
            a reduction leads there.
        rules: for each rule, its name, its length, and the terminal that its reduction stands for (mostly ``None``).

    Raises:
        ValueError: the data is not that of tables.
    """

    def __init__(self, data: bytes) -> None:
        *lines, numbers = data.split(b"\n", _LINES)
        tokens, values, names, rules, shifted, counts = (line.decode().split("\t") for line in lines)
        self.data, self.tokens, self._names, self._rules = data, tokens, names, rules
        self.patterns = {
            token: ("str", _unescape(value[3:])) if value.startswith("str") else ("re", _unescape(value[2:]))
            for token, value in zip(tokens, values, strict=False)
        }
        self.shifted = [None if terminal == _NOT_SHIFTED else terminal for terminal in shifted]
        acting, going = map(int, counts)
        if len(numbers) != 2 * _START * len(shifted) + _CELL * (acting + going):
            raise ValueError("some states are missing")
        self._numbers, self._gotos_from = numbers, _START * len(shifted) + _CELL * acting
        self.rules = Rows(self._rule)
        self.actions = self.actions_by(tokens)
        self.gotos = Rows(self._gotos_of)
        self.automata: dict[int, object] = {}  # what lexers have made of them, by how many aliases there are
        self.native: tuple[object] | None = None  # what the native core has made of them
        self.sources: dict[int, object] = {}  # what it reads with, by how many aliases there are

    def __len__(self) -> int:
        return len(self.shifted)

    def actions_by(self, labels: Sequence[Label]) -> Rows[dict[Label, int]]:
        """The actions by what a lexer calls the tokens, in the order of ``tokens``."""
        return Rows(lambda state: {labels[token]: action - (action > 0) for token, action in self._row(0, state, len(labels))})

    def _gotos_of(self, state: int) -> dict[str, int]:
        return {self._names[name]: target for name, target in self._row(self._gotos_from, state, len(self._names))}

    def _row(self, part: int, state: int, width: int) -> Iterator[tuple[int, int]]:
        """The columns of a row that are not empty, and what is in them."""
        from struct import iter_unpack  # the native core needs none of it

        at = part + _START * state
        at = part + _START * len(self.shifted) + _CELL * int.from_bytes(self._numbers[at : at + _START], "little")
        cells = iter_unpack("<Hh", self._numbers[at : at + _CELL * width])
        return ((column, value) for column, (owner, value) in enumerate(cells) if owner == column)

    def _rule(self, number: int) -> tuple[str, int, str | None]:
        name, length, terminal = self._rules[number].split(" ")
        return self._names[int(name)], int(length), terminal or None
