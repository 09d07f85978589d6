"""Aliases of names: what is spelled, what is refused, and that nothing is lost, whole and in pieces."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from dualcode.conversion.messages import MessageConverter
from simpy_cli.main import main
from simpy_grammar.aliases import Aliased, choose, split
from simpy_grammar.dialect import BUILT_IN, MOST_ALIASES, Dialect
from simpy_grammar.engines import engine_grammar
from simpy_grammar.errors import DialectError, SimPySyntaxError
from simpy_grammar.simpy_lexer import SimPyReader
from simpy_grammar.terminals import ID
from tests.golden import Case, cases
from tests.helpers import CHUNKINGS, assert_round_trip, pieces_of, streamed
from tests.programs import programs
from tests.small_tokenizers import byte_bpe
from tokenizer_ext import Codec, extend
from tokenizer_ext.learning import CorpusFile, learn
from transpiler.conversion import read_stream, write_stream
from transpiler.source import read_source

DIALECTS = tuple(f"{name}-aliases-{count}" for name, count in zip(BUILT_IN, (64, 64, 3, 64, 3, 4), strict=True))
KEPT = ("_", "__debug__")
SOURCE = """
def scale_points(points, factor_value):
    factor_value = check_factor(factor_value, points)
    return [p * factor_value for p in points if f"{factor_value!r:>10} factor_value"]
"""


def lengthened(source: str) -> str:
    """A program with longer names, so that those that come again get aliases."""
    stream = read_stream(read_source(source), Dialect.load("python"))
    for i, (terminal, text) in enumerate(zip(stream.terminals, stream.texts, strict=True)):
        if terminal == ID["NAME"] and text not in KEPT:
            stream.texts[i] = f"{text}_of_many_parts"
    return write_stream(stream, Dialect.load("python"))


def test_a_name_is_spelled_once() -> None:
    expected = (
        "<def_stmt>scale_points points factor_value<n0>{<n0>=check_factor(<n0> points)"
        '<return>[p*<n0> for p points if f"{<n0>!r:>10} factor_value"]'
    )
    assert transpiler.encode(SOURCE, dialect="dense-aliases-64") == expected
    assert ast.dump(ast.parse(transpiler.decode(expected, dialect="dense-aliases-64"))) == ast.dump(ast.parse(SOURCE))


@pytest.mark.parametrize("case", [case for case in cases() if case.is_readable], ids=lambda case: case.path.stem)
def test_every_construct_survives_with_long_names(case: Case) -> None:
    assert_round_trip(lengthened(case.python), DIALECTS)


@given(programs())
def test_every_program_survives_with_long_names(program: str) -> None:
    source = lengthened(program)
    assert_round_trip(source, DIALECTS[1:3], chunkings=(1,))
    for dialect in DIALECTS[:3]:
        plain = Dialect.load(dialect).without_aliases()
        simpy = transpiler.encode(source, dialect=dialect, verify=False)
        assert transpiler.convert(simpy, source=dialect, target=plain) == transpiler.encode(source, dialect=plain, verify=False)
        assert "".join(lexeme.text for lexeme in transpiler.lexemes(simpy, dialect=dialect)) == simpy


@given(st.lists(st.sampled_from(["x", "_", "get_name", "getName", "name_of_it", "a_b_c", "aVeryLongPart"]), max_size=60), st.integers(0, 4))
def test_aliases_are_numbered_by_first_mention_and_save(names: list[str], most: int) -> None:
    chosen = choose(names, most)
    assert list(chosen.values()) == [f"<n{i}>" for i in range(len(chosen))]
    assert len(chosen) <= most
    assert list(chosen) == [name for name in dict.fromkeys(names) if name in chosen]
    assert all(names.count(name) > 1 for name in chosen)
    assert chosen == choose(names, most)


def test_the_names_that_save_most_get_the_aliases() -> None:
    names = [name for name, count in (("two_parts", 9), ("a_b_c_d", 3), ("short", 90), ("of_three_parts", 9)) for _ in range(count)]
    assert choose(names, 1) == {"of_three_parts": "<n0>"}
    assert choose(names, 2) == {"two_parts": "<n0>", "of_three_parts": "<n1>"}
    assert set(choose(names, 9)) == {"two_parts", "a_b_c_d", "of_three_parts"}


@pytest.mark.parametrize(
    ("simpy", "column", "message"),
    [
        ("a=<n3>", 3, "the alias <n3> is not bound"),
        ("a_b<n0>=c<n0>", 10, "<n0> is bound to 'a_b' already"),
        ("a_b<n0>=a_b<n0>", 12, "<n0> is bound to 'a_b' already"),
        ("a_b<n4>=1", 4, "<n4> is not an alias of the dialect"),
        ("a_b<n00>=1", 4, "unexpected '<' after a statement"),
        ("None<n0>", 5, "the alias <n0> is not bound"),
        ("a_b<n0>=None<n0>", 13, "unexpected '<n0>' after a statement"),
        ("a_b<n0>=1;<n0", 11, "unexpected '<'"),
        ("a_b<n0>)", 8, "unexpected ')'"),
        ("x=f'{<n1>}'", 6, "the alias <n1> is not bound"),
        ("x=1<n1>", 4, "the alias <n1> is not bound"),
        ("a_b<n0>=1<n0>", 10, "unexpected '<n0>' after a statement"),
    ],
)
def test_what_cannot_stand_is_an_error_at_its_place(simpy: str, column: int, message: str) -> None:
    dialect = "dense-aliases-4"
    with pytest.raises(SimPySyntaxError) as caught:
        transpiler.decode(simpy, dialect=dialect, path="a.simpy")
    assert caught.value.message.startswith(message), caught.value.message
    assert (caught.value.line, caught.value.column) == (1, column)
    for length in CHUNKINGS:
        with pytest.raises(SimPySyntaxError) as again:
            streamed(pieces_of(simpy, length), dialect)
        assert (again.value.message, again.value.column) == (caught.value.message, column)


def test_a_dialect_without_aliases_says_which_has_them() -> None:
    with pytest.raises(SimPySyntaxError) as caught:
        transpiler.decode("a_b=<n0>", dialect="dense")
    assert "is an alias of a name" in caught.value.message and "dense-aliases-64" in caught.value.hint


def test_any_order_of_aliases_is_read() -> None:
    python = transpiler.decode("a<n3>=b<n1>;<n3>=<n1>", dialect="dense-aliases-4")
    assert python == "a = b\na = b\n"


@pytest.mark.parametrize("text", ["a_b <n0>", "1 << n7 > b_c", "a<<n7>b", "a<n7>b"])
def test_comparisons_are_no_aliases(text: str) -> None:
    source = text.replace(" <n0>", " < n0 > 1")
    assert_round_trip(f"{source}\na_b = a_b, a_b << a_b, a_b\n", DIALECTS)


def test_literals_and_comments_keep_what_looks_like_an_alias() -> None:
    source = "a_b = a_b('<n0>', \"a_b<n0>\", f'<n0>{a_b}a_b<n0>', a_b) # a_b<n0>\n# <n0>\n"
    simpy = transpiler.encode(source, dialect="classic-aliases-64")
    assert simpy.startswith("a_b<n0>=<n0>('<n0>' \"a_b<n0>\" f'<n0>{<n0>}a_b<n0>' <n0>)# a_b<n0>")
    assert_round_trip(source, DIALECTS)


def test_names_that_are_not_ascii_have_aliases() -> None:
    assert_round_trip("größe_der_fläche = größe_der_fläche + größe_der_fläche\n\u540d_\u524d_x = \u540d_\u524d_x\n", DIALECTS)


@pytest.mark.parametrize("name", ["match", "case", "type", "_", "lazy"])
def test_soft_keywords_are_names(name: str) -> None:
    assert_round_trip(lengthened(f"{name}_a({name})\n").replace(f"{name}_of", f"{name} = {name}_of"), DIALECTS)


def test_a_long_text_in_pieces_is_cut_nowhere_else() -> None:
    source = "".join(f"some_name_{i % 70} = other_name_{i % 50} + some_name_{i % 70}\n" for i in range(1500))
    assert_round_trip(source, DIALECTS[:2], chunkings=(1, 4093))


def test_dialects_with_aliases_are_dialects() -> None:
    dialect = Dialect.load("dense-aliases-64")
    assert dialect == Dialect.load("dense").with_aliases(64) == pickle.loads(pickle.dumps(dialect))  # noqa: S301  # made here
    assert hash(dialect) == hash(Dialect.load("dense").with_aliases(64))
    assert dialect != Dialect.load("dense") != Dialect.load("dense-aliases-8")
    assert dialect.digest != Dialect.load("dense").digest
    assert dialect.is_built_in
    assert dialect.special_tokens == (*Dialect.load("dense").special_tokens, *(f"<n{i}>" for i in range(64)))
    assert dialect.without_aliases() == Dialect.load("dense")
    assert dialect.with_aliases(0) == Dialect.load("dense")
    assert dialect.with_aliases(8).name == "dense-aliases-8"
    assert Dialect.parse(dialect.format(), name="mine") == dialect
    assert Dialect.parse("%extends dense\n%aliases 64\n", name="mine") == dialect


@pytest.mark.parametrize("name", ["compact", "python"])
def test_python_has_no_aliases(name: str) -> None:
    with pytest.raises(DialectError, match=f"{name} is Python, which has no aliases"):
        Dialect.load(f"{name}-aliases-64")


def test_no_more_aliases_than_a_dialect_may_have() -> None:
    with pytest.raises(DialectError, match="10,000 at most"):
        Dialect.load("dense").with_aliases(MOST_ALIASES + 1)


def test_a_file_called_like_a_dialect_with_aliases_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine-aliases-4").write_text('%extends classic\nDEF: "<fn>"\n')
    monkeypatch.chdir(tmp_path)
    assert Dialect.load("mine-aliases-4").aliases == 0


def test_a_reader_keeps_how_names_are_spelled() -> None:
    reader = SimPyReader(Dialect.load("classic-aliases-4"))
    reader.read_all("a_b<n0>=<n0>")
    first, _, second = reader.stream.texts
    assert isinstance(first, Aliased) and isinstance(second, Aliased)
    assert (first, first.spelled, second, second.spelled) == ("a_b", "a_b<n0>", "a_b", "<n0>")
    assert pickle.loads(pickle.dumps(first)).spelled == "a_b<n0>"  # noqa: S301  # made here
    assert split(first.spelled) == ("a_b", "<n0>")


def test_the_command_takes_a_number_of_aliases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.py"
    source.write_text(SOURCE)
    assert main(["encode", "--dialect", "dense", "--aliases", "64", str(source)]) == 0
    simpy = capsys.readouterr().out
    assert simpy == transpiler.encode(SOURCE, dialect="dense-aliases-64")
    (tmp_path / "a.simpy").write_text(simpy)
    assert main(["decode", "--dialect", "dense", "--aliases", "64", str(tmp_path / "a.simpy")]) == 0
    assert capsys.readouterr().out == transpiler.decode(simpy, dialect="dense-aliases-64")
    assert main(["check", "--dialect", "dense-aliases-64", str(source)]) == 0
    capsys.readouterr()
    assert main(["encode", "--dialect", "compact", "--aliases", "64", str(source)]) == 2
    assert "compact is Python, which has no aliases of names" in capsys.readouterr().err


def test_what_sees_parts_of_programs_only_refuses_aliases() -> None:
    with pytest.raises(DialectError, match="stand for something within one program only"):
        MessageConverter("dense-aliases-64")
    with pytest.raises(DialectError, match="cannot say which aliases are bound"):
        engine_grammar(Dialect.load("dense-aliases-64"), "gbnf")


def test_a_codec_gives_each_alias_its_id_and_none_in_data() -> None:
    codec = Codec(extend(byte_bpe(), dialect="dense-aliases-4"), dialect="dense-aliases-4")
    simpy = transpiler.encode("a_b_c = '<n0>', f'{a_b_c}<n0>', a_b_c, 1 << a_b_c # <n0>\n", dialect="dense-aliases-4")
    assert simpy == "a_b_c<n0>='<n0>' f'{<n0>}<n0>' <n0> 1<<<n0># <n0>\n"
    ids = codec.encode(simpy)
    assert codec.decode(ids) == simpy
    assert ids.count(codec.own["<n0>"]) == 4
    assert codec.count(simpy) == len(ids)
    spans = [span for span, number in zip(codec.spans(simpy), ids, strict=True) if number == codec.own["<n0>"]]
    assert [simpy[start:end] for start, end in spans] == ["<n0>"] * 4


def test_learned_tokens_hold_aliases() -> None:
    lines = "first_name_of_it.second_name_of_it(first_name_of_it)\n" * 30
    files = [CorpusFile(f"package{i}", f"{lines}{'x' * i} = 1\n") for i in range(5)]
    learned = learn(byte_bpe(), files, budget=6, dialect="dense-aliases-8", held_out=0.0).learned
    assert any("<n0>.<n1>(" in token for token in learned.tokens), learned.tokens
    assert learned.dialect == "dense-aliases-8"
    codec = Codec(extend(byte_bpe(), dialect="dense-aliases-8", learned=learned), dialect="dense-aliases-8")
    simpy = transpiler.encode(lines, dialect="dense-aliases-8")
    assert codec.decode(codec.encode(simpy)) == simpy
    assert len(codec.encode(simpy)) < len(Codec(extend(byte_bpe(), dialect="dense-aliases-8"), dialect="dense-aliases-8").encode(simpy)) / 2


def test_a_source_map_leads_through_aliases() -> None:
    simpy = transpiler.encode(SOURCE, dialect="dense-aliases-64")
    mapping = transpiler.source_map(SOURCE, simpy, dialect="dense-aliases-64")
    second = SOURCE.index("factor_value = check")
    assert simpy[mapping.to_simpy(second) :].startswith("<n0>=check")
    assert simpy[mapping.to_simpy(second + len("factor_value")) :].startswith("=check")
    assert mapping.to_python(mapping.to_simpy(second)) == second
    assert mapping.to_python(simpy.index("=check")) == second + len("factor_value")
    assert mapping.to_python(simpy.index("<n0>{") + len("<n0>")) == SOURCE.index("):\n")
