"""The reader of SimPy of the native core: it reads what ``SimPyReader`` reads, whole and in pieces."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from random import Random

import pytest

import transpiler
from fuzz.native import pure_python
from simpy_grammar.aliases import spelled
from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.implied_closers import implied_closers
from simpy_grammar.native import core
from simpy_grammar.reader import PENDING, StuckError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.table_cache import load_tables
from simpy_grammar.tables import Tables, tables_data
from tests.golden import cases
from tests.sample_programs import UNFINISHED
from tests.test_aliases import lengthened
from transpiler import Decoder, native_conversion, python_path

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

OWN = '%extends dense-newline\nEXPLICIT_BLOCK_START: "::\\n"\nEQUAL: " <== " | "=="\nTRUE: "$true"\nLESS: "<é>"\n'
DIALECTS = (
    *map(Dialect.load, BUILT_IN),
    Dialect.parse(OWN, name="own"),
    *map(Dialect.load, ("dense-aliases-4", "classic-aliases-64", "dense-newline-aliases-1000", "dense-open-aliases-12")),
    Dialect.parse(f"{OWN}%aliases 100\n", name="own-aliases"),
)
by_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)

PIECES = [
    *("'", '"', "'''", '"""', "f'", 'f"', "rf'''", "b'", "u", "rb", "<", ">", "<comment>", "<comment>\n#", "<debug>", "#", "# a\n", "\\"),
    *("\\N{", "{", "}", "{{", "}}", "(", ")", "[", "]", "\n", "\n\n", ";", ":", ":\n", ":=", "!r", "!", " ", ",", ".", "...", " .a", "0x"),
    *(
        "1",
        "1e",
        "1e+",
        "1_",
        "2j",
        "_",
        "a",
        "é",
        "中",
        "😀",
        "not ",
        "True",
        "class",
        " if ",
        "<line_sep>",
        "<block_end>",
        "<l>",
        "<lx>",
        "\0",
    ),
]
ALIASES = [*(f"<n{number}>" for number in (0, 0, 0, 1, 1, 2, 3, 4, 11, 12, 63, 999, 1000, 9999, 10000, "00", "01"))]
ALIASES += ["<n", "<n0", "<n1", "<n10", "n0>", "0>", "a_b<n0>", "é<n1>", "for<n2>", "x<n3>y", "<n0>é", "'<n0>'", "f'{<n0>}'", "<<n0>"]


@cache
def programs(dialect: Dialect) -> list[str]:
    sources = [*UNFINISHED, *(case.python for case in cases() if case.is_readable)]
    if dialect.aliases:
        sources = [lengthened(source) for source in sources]
    return [transpiler.encode(source, dialect=dialect, verify=False) for source in sources]


Lexemes = tuple[bytes, list[str]]


def lexemes_of(reader: SimPyReader) -> Lexemes:
    stream = reader.stream
    return bytes(255 if terminal == PENDING else terminal for terminal in stream.terminals), list(map(str, stream.texts))


def in_pure(dialect: Dialect, pieces: list[str]) -> tuple[list[tuple[int, int]], Lexemes | None]:
    """After each piece that can be read, how many lexemes are settled and how far it has come; and all lexemes."""
    reader, steps = SimPyReader(dialect), []
    try:
        for piece in pieces:
            reader.feed(piece)
            steps.append((reader.settled(), reader.position))
        reader.close()
    except StuckError:
        return steps, None
    return steps, lexemes_of(reader)


def natively(dialect: Dialect) -> tuple[object, object]:
    assert core is not None
    tables = core.tables(load_tables(dialect).data)
    implied = implied_closers(dialect)
    arguments = ("".join(f"{key}\0" for key in implied.ends), implied.closers["PARAMETERS_START"]) if implied.ends else ()
    return tables, core.simpy_tokens(tables, dialect.aliases, *arguments)


def pieces_of(text: str, random: Random, longest: int) -> list[str]:
    pieces = []
    while text:
        length = random.randint(1, longest)
        pieces.append(text[:length])
        text = text[length:]
    return pieces


def edited(text: str, random: Random, put_in: list[str]) -> str:
    """A text with a few pieces put in, taken away, doubled or swapped."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        start = random.randrange(len(text) + 1)
        end = start + random.choice((1, 1, 2, 3, 20))
        other = random.randrange(len(text) + 1)
        middle = random.choice(("", random.choice(put_in), text[start:end] * 2, text[start:end][::-1], text[other : other + 12]))
        text = text[: start if random.random() < 0.5 else end] + middle + text[end:]
    return text


@by_dialect
def test_whole_programs(dialect: Dialect) -> None:
    assert core is not None
    tables, tokens = natively(dialect)
    for text in programs(dialect):
        reader = SimPyReader(dialect)
        reader.read_all(text)
        at, starts = 0, []
        for piece in reader.stream.texts:
            starts.append(at)
            at += len(spelled(piece))
        assert core.read_simpy(tables, tokens, text, True) == (*lexemes_of(reader), starts)


@by_dialect
def test_pieces(dialect: Dialect) -> None:
    compare(dialect, lambda random: random.choice(programs(dialect)), 40 if dialect.aliases else 80)


@by_dialect
def test_edited_programs(dialect: Dialect) -> None:
    put_in = [*PIECES, *ALIASES, *ALIASES] if dialect.aliases else PIECES
    compare(dialect, lambda random: edited(random.choice(programs(dialect)), random, put_in), 120 if dialect.aliases else 250)


BODIES = ("ab c", "ab'\" \\\\", 'a"\\n', "ab{x}", "{{}} a", "'a", "\"b\\'", "a\n", "\\N{DASH}", " <debug>x", "1_", "é中😀 ")
OPENINGS = ("'", '"""', "f'", "f'''", 'rf"', "#", "[<comment>#", "x", "1", "f'{<debug>", "f'{x:", "f'{a}", "f'\\N{", "f\"{a['")


@pytest.mark.parametrize("size", [30, 20_000])
def test_long_tokens(size: int) -> None:
    """Such as Python reads again only when much more of them has arrived."""

    def text(random: Random) -> str:
        body = random.choice(BODIES) * (size // 4)
        return random.choice(("x=", "f(")) + random.choice(OPENINGS) + body + random.choice(("'", "'''", "\n", "}'", "]", "\\", "")) + ";y"

    compare(Dialect.load("dense"), text, 300 if size < 1000 else 12, longest=max(2, size // 40))


def compare(dialect: Dialect, text_of: Callable[[Random], str], count: int, longest: int = 40) -> None:
    assert core is not None
    tables, tokens = natively(dialect)
    random = Random(dialect.name)
    for _ in range(count):
        pieces = pieces_of(text_of(random), random, random.choice((1, 3, 10, longest)) if longest == 40 else longest)
        assert core.read_simpy_pieces(tables, tokens, pieces) == in_pure(dialect, pieces), pieces


def test_what_it_cannot_read() -> None:
    assert core is not None
    tables, tokens = natively(Dialect.load("dense"))
    assert core.read_simpy(tables, tokens, "a)", False) is None
    assert core.read_simpy(tables, tokens, "a='\ud800'", False) is None
    other = load_tables(Dialect.load("dense")).data.replace(b"re#[^", b"re##[^")
    assert core.simpy_tokens(core.tables(other)) is None


@pytest.mark.parametrize("name", ["dense-aliases-4", "dense-open-aliases-12"])
def test_streams_of_dialects_with_aliases(name: str) -> None:
    """What is given and what is understood after each piece, with the bindings of names that have been dropped already."""
    dialect = Dialect.load(name)
    random = Random(name)
    for text in [*programs(dialect)[:20], "first_name<n0>=1;" * 2, "a_b<n0>=1" + ";f(<n0>)" * 12_000, "a_b<n0>=f(<n1>"]:
        pieces = pieces_of(text, random, 9 if len(text) < 5000 else 3000)
        outcomes = []
        for way in (nullcontext, pure_python):
            with way():
                outcomes.append(steps_of(Decoder(dialect=dialect), pieces))
        assert outcomes[0] == outcomes[1]


def steps_of(decoder: Decoder, pieces: list[str]) -> list[object]:
    steps: list[object] = []
    try:
        for piece in pieces:
            steps += decoder.feed(piece), decoder.position
        steps.append(decoder.close())
    except SimPyError as error:
        steps.append(str(error))
    return steps


@by_dialect
def test_no_name_waits_for_what_it_is(dialect: Dialect) -> None:
    """So a place before what waits needs no length of an alias."""
    tables = load_tables(dialect)
    shifts = [tables.actions[state].get("NAME", -1) for state in range(len(tables))]
    assert {tables.shifted[state] for state in shifts if state >= 0} == {"NAME"}


def test_how_aliases_spell_names_is_told_with_their_places() -> None:
    dialect = Dialect.load("dense-aliases-10000")
    text = "a_b<n0>=é<n9999>(<n0> ab <n9999> f'{<n0>}<n0>')# <n0>"
    found = native_conversion.read(text, dialect, located=True)
    pure = python_path.located(text, dialect)
    assert found is not None
    assert ([*map(spelled, found.texts)], found.texts, found.starts) == ([*map(spelled, pure.texts)], pure.texts, pure.starts)
    assert "".join(map(spelled, found.texts)) == text


def test_what_aliases_stand_for_has_a_bound() -> None:
    dialect = Dialect.load("dense-aliases-4")
    name = "a" * 1_000_000
    assert native_conversion.read(f"{name}<n0>" + ";<n0>" * 100, dialect) is not None
    assert native_conversion.read(f"{name}<n0>" + ";<n0>" * 140, dialect) is None  # longer than the largest program


def test_texts_that_could_be_aliases_are_left_to_python() -> None:
    own = '%extends dense\nTRUE: "<n1>"\n%aliases 4\n'
    dialect = Dialect.parse(own, name="own")
    assert native_conversion.read("a_b<n0>=<n1>", dialect) is None
    assert transpiler.decode("a_b<n0>=<n1>", dialect=dialect) == "a_b = True\n"


def test_tables_that_are_not_sound_do_no_harm() -> None:
    """They are refused, or what is read by them is anything, and comes to an end."""
    assert core is not None
    data = load_tables(Dialect.load("dense")).data
    random = Random(1)
    refused = read = 0
    for _ in range(400):
        *lines, numbers = data.split(b"\n", 6)
        if random.random() < 0.4:
            number = random.randrange(2, len(lines))
            parts = re.split(rb"([ \t])", lines[number])
            parts[random.randrange(0, len(parts), 2)] = random.choice((b"0", b"1", b"-", b"", b"1800", random.choice(parts[::2])))
            lines[number] = b"".join(parts)
        words = array("I", numbers)
        for _ in range(random.choice((0, 1, 1, 3, 30))):
            near = random.choice(words) + random.randrange(4)
            words[random.randrange(len(words))] = random.choice((0, 1, 1 << 16, random.choice(words), near))
        tables = core.tables(b"\n".join((*lines, words.tobytes())))
        source = None if tables is None else core.source(tables, False, 4)
        refused += source is None
        if source is not None:
            read += sum(core.read(source, program, True) is not None for program in programs(Dialect.load("dense"))[:20])
    assert refused > 100
    assert read > 1000


@pytest.mark.parametrize("cut", [1, 3, 4, 100, 200_000])
def test_parts_of_tables_are_refused(cut: int) -> None:
    assert core is not None
    data = load_tables(Dialect.load("dense")).data
    assert core.tables(data[:-cut]) is None
    assert core.tables(data + b"\0" * cut) is None
    with pytest.raises(ValueError, match="states are missing"):
        Tables(data[:-cut])


def test_reductions_without_end_are_refused() -> None:
    """By a rule that takes nothing away, and by one that takes its own state away."""
    assert core is not None
    for length in (0, 1):
        tables = core.tables(with_loop(load_tables(Dialect.load("dense")), length))
        assert core.read(core.source(tables, False, 0), "a", False) is None


def with_loop(tables: Tables, length: int) -> bytes:
    """Tables whose first state reduces by a rule that leads to a state that reduces by it, too."""
    loop = next(state for state, terminal in enumerate(tables.shifted) if terminal is None and state)
    patterns = {token: tables.patterns[token] for token in tables.tokens[:-1]}
    number = {token: i for i, token in enumerate(tables.tokens)}
    name = {name: i for i, name in enumerate(tables._names)}
    rules = [(name[rule], size, terminal) for rule, size, terminal in (tables.rules[i] for i in range(len(tables._rules)))]
    actions = [{number[token]: action for token, action in tables.actions[state].items()} for state in range(len(tables))]
    gotos = [{name[key]: target for key, target in tables.gotos[state].items()} for state in range(len(tables))]
    assert tables_data(patterns, tables._names, rules, tables.shifted, actions, gotos) == tables.data
    actions[0] = dict.fromkeys(number.values(), -1 - len(rules))
    actions[loop] = dict.fromkeys(number.values(), -2 - len(rules))
    gotos[0] = gotos[loop] = {0: loop}
    return tables_data(patterns, tables._names, [*rules, (0, 0, None), (0, length, "LINE_SEP")], tables.shifted, actions, gotos)
