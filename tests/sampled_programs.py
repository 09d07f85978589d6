"""Random programs drawn from the LALR tables of a dialect: whatever the reader takes, one token after the other.

A walk begins anywhere, goes on with any token that the reader accepts, and after some tokens takes the way to the end that the
order of ``_WAYS_OUT`` shows. With the rules beside the reader it goes only where they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from simpy_grammar.dialect import Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.reader import PENDING, Frames, Node, Reader, Step
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.stream import Stream
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import BINARY, DATA, ID, TERMINALS, UNARY, ids, named
from transpiler.rules import RuleError, Rules

# Texts of the terminals that are data. Names are few, so that they meet again; some numbers and strings are not Python.
TEXTS: dict[str, tuple[str, ...]] = {
    "NAME": ("a", "b", "c", "d", "_"),
    "NUMBER": ("0", "1", "2.5", "3j", "0x1F", "1_000", "0b12"[:3], "007", "1__0", "0x_f", "1e5"),
    "STRING": (
        "'a'",
        '"b"',
        "b'c'",
        "r'\\d'",
        "'''d'''",
        "u'e'",
        "'\\x41'",
        "'\\x4'",
        "b'\\x4'",
        "b'\u00e9'",
        "'\\N{DASH}'",
        "'\\N{BULLET}'",
    ),
    "NUMBER_DOT": (" .",),
    "IMPORT_PREFIX": (".", ".."),
    "COMMENT": ("# a\n",),
    "TRAILING_COMMENT": ("# b\n",),
    "HEADER_COMMENT": ("# c\n",),
    "INNER_COMMENT": ("<comment># d\n",),
    "FIELD_START": ("{ ",),
    "FIELD_VERBATIM": ("<debug>a=<debug>", "<debug>a.b(1) = <debug>"),
    "FIELD_CONVERSION": ("!r", "!s", "!a", "!x"),
    "FORMAT_TEXT": (">10", ".2f"),
}
for _quote, _text in (("1", "'"), ("2", '"'), ("3", "'''"), ("6", '"""')):
    TEXTS[f"FSTRING_START_{_quote}"] = (f"f{_text}",)
    TEXTS[f"RAW_FSTRING_START_{_quote}"] = (f"rf{_text}",)
    TEXTS[f"FSTRING_TEXT_{_quote}"] = ("a", "{{", "\\n", "\\x4")
    TEXTS[f"RAW_FSTRING_TEXT_{_quote}"] = ("a", "}}", "\\d")
    TEXTS[f"FSTRING_END_{_quote}"] = (_text,)

# The order in which a walk that is to end tries the terminals.
_WAYS_OUT = (
    *("$END", "}", "]", ")", "PARAMETERS_END", "LAMBDA_COLON", "FOR_IN", "COMPREHENSION_IN", "ELSE", "PAIR_COLON", "IMPORT_NAMES"),
    *("FSTRING_END_1", "FSTRING_END_2", "FSTRING_END_3", "FSTRING_END_6", "BLOCK_END", "BLOCK_START", "PASS", "EXCEPT", "FINALLY"),
    *("CASE", "DEF", "ASSIGN", "NAME", "STRING", "FIELD_VERBATIM", "PARAMETERS_START", "AS", "COMPREHENSION_FOR", "DOT", "*"),
)
_RARE = frozenset(("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT", "LAZY", "TYPE_ALIAS", "FUTURE_IMPORT"))
_DATA = ids(DATA)
_TEXTS = frozenset(ID[name] for name in named(DATA) if "_TEXT" in name)
# Terminals that would come too often or too rarely if all were alike; the lower, the rarer.
_WEIGHTS = {
    **dict.fromkeys((*named(BINARY), *named(UNARY), "IF", "LAMBDA"), 0.2),
    **{name: 0.3 for name in named(DATA) if "START" in name},
    **dict.fromkeys(("LINE_SEP", "BLOCK_START", "BLOCK_END", "NAME", ")", "]", "}"), 4.0),
}
_FUTURES = ("annotations", "division", "nothing")


class Walk:
    """One walk through the tables of a dialect.

    Args:
        dialect: any dialect, Python among them.
        random: where choices come from.
        ruled: whether the rules are asked, too.
        version: the Python that has to read the program.
    """

    def __init__(self, dialect: Dialect, random: Random, *, ruled: bool = True, version: tuple[int, int] | None = None) -> None:
        self.reader: Reader = PythonReader(dialect) if dialect.is_python else SimPyReader(dialect)
        self.rules = Rules(version=version)
        self.random = random
        self.ruled = ruled
        self.stuck_on: list[str] = []

    def program(self, size: int, most: int = 400) -> Stream | None:
        """A whole program of at least ``size`` tokens, or ``None`` where no way led to its end within ``most`` of them."""
        for count in range(most):
            key = self.step(ending=count >= size)
            if key is None:
                return None
            if key == END:
                return self.reader.stream
        return None

    def step(self, *, ending: bool) -> Key | None:
        """Go on by one token; ``None`` if no token can come."""
        for key, terminal in self.order(ending):
            texts = TEXTS.get(terminal, ("",)) if not self.is_future(terminal) else _FUTURES
            text = self.random.choice(texts)
            rules = self.after(key, text)
            if rules is None and terminal in TEXTS:
                for text in (*texts, *((f"n{len(self.reader.stream)}", "__class__") if terminal == "NAME" else ())):
                    rules = self.after(key, text)
                    if rules is not None:
                        break
            if rules is None:
                continue
            assert self.reader.push((key,), (text,)) == 1
            self.rules = rules
            return key
        return None

    def is_future(self, terminal: str) -> bool:
        """Whether the name of a feature comes."""
        names = [TERMINALS[one].name for one in self.reader.stream.terminals[-4:] if one >= 0]
        return terminal == "NAME" and "FUTURE_IMPORT" in names and names[-1:] != ["AS"]

    def order(self, ending: bool) -> Iterator[tuple[Key, str]]:
        """The tokens that the reader accepts, in the order in which they are tried."""
        accepted = [(key, self.terminal_of(key)) for key in self.reader.expected()]
        if self.reader.stream.terminals[-1:] == [ID["NUMBER"]]:  # a number takes the dot
            accepted = [pair for pair in accepted if pair[1] != "DOT"]
        if self.reader.stream.terminals[-1:] and self.reader.stream.terminals[-1] in _TEXTS:  # text goes on in the same lexeme
            accepted = [pair for pair in accepted if pair[1] not in TEXTS or ID[pair[1]] not in _TEXTS]
        accepted.sort(key=lambda pair: (pair[1], str(pair[0])))
        accepted.sort(key=lambda pair: self.random.random() ** _WEIGHTS.get(pair[1], 1))
        if ending:
            rank = {terminal: place for place, terminal in enumerate(_WAYS_OUT)}
            blind = self.random.random() < 0.1  # so that no walk turns in circles
            accepted.sort(key=lambda pair: (pair[0] != END, self.depth(pair[0]), 0 if blind else rank.get(pair[1], len(rank))))
        else:
            accepted.sort(key=lambda pair: pair[1] in _RARE and self.random.random() < 0.9)
            accepted.sort(key=lambda pair: pair[0] == END)
        return iter(accepted)

    def depth(self, key: Key) -> int:
        """How many states are on the stack after a token."""
        step, frames = self.reader.step(key)
        assert step is not None
        node, _, extra = step
        depth = len(node.states()) + (len(extra[2].states()) if extra is not None and extra[2] is not None else 0)
        while frames is not None:
            base, frames = frames
            depth += len(base.states())
        return depth

    def terminal_of(self, key: Key) -> str:
        """A terminal that a key stands for here."""
        step, _ = self.reader.step(key)
        assert step is not None
        if step[1] >= 0:
            return TERMINALS[step[1]].name
        return END if key == END else ""

    def after(self, key: Key, text: str) -> Rules | None:
        """The rules after a token, or ``None`` if they refuse it."""
        if not self.ruled:
            return self.rules
        step, frames = self.reader.step(key)
        try:
            rules = _pushed(self.rules, self.reader.stream, step, key, text)
        except RuleError:
            return None
        if step is not None and step[1] == PENDING and not _goes_on(self.reader, rules, step, frames, 2):
            return None
        return rules


def _pushed(rules: Rules, stream: Stream | None, step: Step | None, key: Key, text: str, pending: str = "") -> Rules:
    """The rules after the lexemes that a step reports."""
    assert step is not None
    node, terminal, extra = step
    if extra is not None:
        resolved, implied, _ = extra
        if resolved >= 0:
            rules = rules.push(resolved, stream.texts[-1] if stream is not None else pending)
        for one in implied:
            if one != ID["TARGETS"]:
                rules = rules.push(one)
    if terminal >= 0:
        rules = rules.push(terminal, text)
    elif node.automaton.tables.shifted[node.state] == "WITH_CLOSE":
        rules = rules.push(ID["WITH_CLOSE"])
    if key == END:
        rules.end()
    return rules


def _goes_on(reader: Reader, rules: Rules, step: Step, frames: Frames, depth: int) -> bool:
    """Whether a token that only the next one settles can be followed by any, by the rules."""
    node: Node = step[0]
    if step[2] is not None and step[2][2] is not None:
        frames = step[2][2], frames
    for key in reader.automaton.rows[node.state]:
        following, below = reader.step(key, node, frames)
        if following is None:
            continue
        terminal = following[1]
        text = "zz" if terminal == ID["NAME"] else "1" if terminal in _DATA else ""
        if terminal in _DATA and terminal != ID["NAME"]:
            continue
        try:
            after = _pushed(rules, None, following, key, text)
        except RuleError:
            continue
        if terminal != PENDING or depth == 0 or _goes_on(reader, after, following, below, depth - 1):
            return True
    return False
