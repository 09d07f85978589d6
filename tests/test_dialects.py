"""Dialect files: what they may say, and that an ambiguous one is refused from every entry."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import transpiler
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON, Dialect
from simpy_grammar.errors import DialectError
from tests.golden import cases
from tests.helpers import assert_round_trip

CLASSIC = Dialect.load("classic")
PROGRAM = "def f(a, *b, c=1):\n    return g(a, *b)[c, d], [e for e in c]\n"

# Changes to classic -> whether the result can be told apart.
CHANGES: dict[str, dict[str, tuple[str, ...]]] = {
    "commas of arguments and indices": {"ARGUMENT_SEP": (",",), "INDEX_SEP": (",",)},
    "commas of arguments": {"ARGUMENT_SEP": (",",)},
    "commas of elements": {"ELEMENT_SEP": (",",)},
}
AMBIGUOUS: dict[str, dict[str, tuple[str, ...]]] = {
    "a line's end that is nothing": {"LINE_SEP": ("",)},
    "a block's end that is nothing": {"BLOCK_END": ("",), "CLAUSE_BLOCK_END": ("",), "MATCH_BLOCK_END": ("",)},
    "two words alike": {"RETURN": ("<return>",), "RAISE": ("<return>",)},
    "two operators alike": {"PLUS": ("+",), "MINUS": ("+",)},
    "a comma that is a blank everywhere": {"COMMA": (" ",)},
    "a division that reads as a parameter between others": {"DIVIDE": ("/", " / ")},
    "a slice that ends where the next index begins": {"SLICE_COLON": (":", ": ")},
    "a constant that takes the blank after it": {"NONE": ("<none>", "<none> ")},
}
ENTRIES: dict[str, Callable[[Dialect], object]] = {
    "encode": lambda dialect: transpiler.encode(PROGRAM, dialect=dialect),
    "encode without the proof": lambda dialect: transpiler.encode(PROGRAM, dialect=dialect, verify=False),
    "encode a line": lambda dialect: transpiler.encode("x = 1\n", dialect=dialect, verify=False),
    "decode": lambda dialect: transpiler.decode("x=1", dialect=dialect),
    "convert from": lambda dialect: transpiler.convert("x=1", source=dialect, target="classic"),
    "convert to": lambda dialect: transpiler.convert("x=1", source="classic", target=dialect),
    "convert to itself": lambda dialect: transpiler.convert("x=1", source=dialect, target=dialect),
    "lexemes": lambda dialect: transpiler.lexemes("x=1", dialect=dialect),
    "source_map": lambda dialect: transpiler.source_map("x = 1\n", "x=1", dialect=dialect),
    "encode_beginning": lambda dialect: transpiler.encode_beginning("x = 1\n", dialect),
    "Encoder": lambda dialect: transpiler.Encoder(dialect=dialect).feed("x = 1\n"),
    "Decoder": lambda dialect: transpiler.Decoder(dialect=dialect).feed("x=1"),
}


def changed(name: str, changes: dict[str, tuple[str, ...]]) -> Dialect:
    """A copy of classic with some other spellings."""
    return CLASSIC.with_spellings(name, changes)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_dialect_round_trips_or_is_refused_by_every_entry(name: str) -> None:
    """Which of the two it is, the tables say; what must not be is an error of ours, or silence."""
    dialect = changed("changed", CHANGES[name])
    refused = []
    for entry, use in ENTRIES.items():
        try:
            use(dialect)
        except DialectError:
            refused.append(entry)
    assert refused in ([], list(ENTRIES))
    if not refused:
        for case in cases():
            assert_round_trip(case.python, [dialect], chunkings=(7,))  # type: ignore[list-item]  # a dialect may be given for its name


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_dialect_is_refused(name: str) -> None:
    with pytest.raises(DialectError) as caught:
        ENTRIES["encode a line"](changed(f"my {name}", AMBIGUOUS[name]))
    assert f"my {name}" in str(caught.value)


@pytest.mark.parametrize("seed", ["1", "2"])  # with other hashes, sets have another order
def test_every_process_explains_the_ambiguity_in_the_same_words(seed: str, tmp_path: Path) -> None:
    path = tmp_path / "my.lark"
    path.write_text('%extends dense\nLESS: "["\n', encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(transpiler.__file__).parent.parent)}
    words = [sys.executable, "-m", "simpy_cli", "encode", "-", "--dialect", str(path)]
    done = subprocess.run(words, input="x = 1\n", capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "is ambiguous: at '[' two readings are possible, in await" in done.stderr


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_ambiguous_dialect_is_refused_by_every_entry(entry: str) -> None:
    with pytest.raises(DialectError):
        ENTRIES[entry](changed("glued", {"LESS": ("<",), "GREATER": (">",)}))


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_name_of_a_built_in_dialect_does_not_make_a_file_sound(entry: str, tmp_path: Path) -> None:
    path = tmp_path / "classic.lark"
    path.write_text('%extends classic\nLESS: "<"\nGREATER: ">"\n', encoding="utf-8")
    dialect = Dialect.load(path)
    assert dialect.name == "classic" and not dialect.is_built_in
    with pytest.raises(DialectError):
        ENTRIES[entry](dialect)


# ------------------------------------------------------------------------------------------------------------ files


@pytest.mark.quick
@pytest.mark.parametrize("name", [*BUILT_IN, PYTHON])
def test_a_dialect_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    dialect = Dialect.load(name)
    path = tmp_path / "own.lark"
    path.write_text(dialect.format(), encoding="utf-8")
    assert Dialect.load(path).spellings == dialect.spellings
    assert Dialect.load(path).digest == dialect.digest


@pytest.mark.quick
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RETURN\n", 'expected a line TERMINAL: "text"'),
        ("RETURN: <return>\n", 'expected a line TERMINAL: "text"'),
        ('NOTHING: "x"\n', "NOTHING is not a terminal of the grammar"),
        ('RETURN: "a"\nRETURN: "b"\n', "RETURN is spelled twice"),
        ('RETURN: "" | "a"\n', "RETURN is implied and spelled at once"),
        ("%extends clasic\n", f"clasic is not a dialect that can be extended: use one of {', '.join(BUILT_IN)}"),
        ("%extends python\n", f"python is not a dialect that can be extended: use one of {', '.join(BUILT_IN)}"),
        ('RETURN: "a"\n%extends classic\n', "%extends is said once, before all spellings"),
        ("%extends classic\n%extends dense\n", "%extends is said once, before all spellings"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.lark"
    path.write_text("// A comment.\n\n" + text, encoding="utf-8")
    with pytest.raises(DialectError) as caught:
        transpiler.encode("x", dialect=path)
    assert caught.value.message == message
    assert caught.value.path == str(path)
    assert caught.value.line == 2 + text.count("\n")


@pytest.mark.quick
def test_a_file_extends_a_built_in_dialect(tmp_path: Path) -> None:
    path = tmp_path / "own.lark"
    path.write_text('// Mine.\n%extends dense\nDEF: "<fn>"\nRETURN: "<ret>"\n', encoding="utf-8")
    dialect = Dialect.load(path)
    dense = Dialect.load("dense")
    assert dialect.spellings == {**dense.spellings, "DEF": ("<fn>",), "RETURN": ("<ret>",)}
    assert len(dialect.special_tokens) == len(dense.special_tokens)
    assert dialect.special_tokens[0] == "<fn>"  # in the place of <def_stmt>
    assert_round_trip(PROGRAM, [dialect], chunkings=(7,))  # type: ignore[list-item]  # a dialect may be given for its name


@pytest.mark.quick
def test_a_file_takes_the_blanks_of_python(tmp_path: Path) -> None:
    path = tmp_path / "own.lark"
    path.write_text('%extends dense\nPLUS: "<plus>"\nRETURN: "<ret>" | "<ret> "\n%spaced\n', encoding="utf-8")
    dialect = Dialect.load(path)
    spaced = Dialect.load("dense-spaced")
    assert dialect.spellings == {**spaced.spellings, "PLUS": ("<plus>", "<plus> "), "RETURN": ("<ret>", "<ret> ")}
    assert transpiler.encode("return a + b", dialect=dialect) == "<ret> a<plus> b"


@pytest.mark.quick
def test_a_file_leaves_out_closing_brackets(tmp_path: Path) -> None:
    path = tmp_path / "own.lark"
    for text in ("%extends classic\n%open\n", "%open\n%extends dense-newline\n", "%extends dense-spaced\n%open\n", "%extends dense-open\n"):
        path.write_text(text, encoding="utf-8")
        dialect = Dialect.load(path)
        closed = Dialect("closed", dialect.spellings)
        assert dialect.is_open and not closed.is_open
        assert dialect != closed and dialect.digest != closed.digest
        assert dialect.special_tokens == closed.special_tokens
        for same in (
            Dialect.parse(dialect.format(), name="same"),
            pickle.loads(pickle.dumps(dialect)),
            dialect.with_spellings("same", {}),
        ):
            assert same.is_open and same == dialect and hash(same) == hash(dialect) and same.digest == dialect.digest
        assert (
            len(transpiler.encode("x = f(a)\ny = 1\n", dialect=dialect)) == len(transpiler.encode("x = f(a)\ny = 1\n", dialect=closed)) - 1
        )
        for case in cases() if dialect != Dialect.load("dense-open") else ():
            assert_round_trip(case.python, [dialect], chunkings=())  # type: ignore[list-item]  # a dialect may be given for its name


@pytest.mark.quick
@pytest.mark.parametrize("name", ["classic", "dense"])
def test_a_spaced_dialect_needs_no_other_tokens(name: str) -> None:
    assert Dialect.load(f"{name}-spaced").special_tokens == Dialect.load(name).special_tokens


@pytest.mark.quick
def test_a_dialect_that_is_not_there() -> None:
    with pytest.raises(DialectError, match="no dialect") as caught:
        transpiler.encode("x", dialect="clasic")
    assert caught.value.hint == "did you mean classic?"
    with pytest.raises(DialectError, match="no dialect") as caught:
        transpiler.encode("x", dialect="no/such/file.lark")
    assert all(known in caught.value.hint for known in (*BUILT_IN, COMPACT, PYTHON))


@pytest.mark.quick
def test_special_tokens_only_grow_at_their_end() -> None:
    for name in BUILT_IN:
        tokens = Dialect.load(name).special_tokens
        assert len(set(tokens)) == len(tokens)
        assert tokens[-1] == "<lazy>"
        assert tokens[tokens.index("<comment>") + 1] == "<debug>"
    assert Dialect.load(COMPACT).special_tokens == Dialect.load(PYTHON).special_tokens == ()
