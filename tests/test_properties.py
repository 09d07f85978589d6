"""Properties that hold for every program, searched for counterexamples by Hypothesis.

The quick profile runs always; ``HYPOTHESIS_PROFILE=deep`` searches for much longer. A counterexample becomes a case file.
"""

from __future__ import annotations

import itertools
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transpiler
from simpy_grammar.errors import SimPyError, SimPySyntaxError
from tests.golden import cases
from tests.helpers import CONVERTED, GRAMMATICAL, SPACED, assert_round_trip, cut, dump, encoded, streamed
from tests.programs import HAS_HYPOTHESMITH, hypothesmith_programs, plain_programs, programs, spellings_of
from tests.random_layout import commented
from tests.simpy_texts import bounded_simpy_texts, simpy_texts

GOLDEN = [case for case in cases() if case.is_readable]
DEEP = settings().max_examples > 1000


@pytest.mark.quick
@given(plain_programs())
def test_round_trip(source: str) -> None:
    assert_round_trip(source, chunkings=(7,))


@given(programs())
def test_round_trip_in_any_layout(source: str) -> None:
    assert_round_trip(source, chunkings=(7,))


@pytest.mark.skipif(not HAS_HYPOTHESMITH, reason="hypothesmith is not installed")
@settings(max_examples=settings().max_examples // 3)
@given(hypothesmith_programs() if HAS_HYPOTHESMITH else st.nothing())
def test_round_trip_of_hypothesmith(source: str) -> None:
    assert_round_trip(source, chunkings=(7,))


@given(st.sampled_from(GOLDEN).flatmap(lambda case: spellings_of(case.python)))
def test_round_trip_of_the_cases_in_any_layout(source: str) -> None:
    assert_round_trip(source, chunkings=())


@given(programs())
def test_dialects_agree(source: str) -> None:
    texts = {dialect: transpiler.encode(source, dialect=dialect, verify=False) for dialect in CONVERTED}
    for one, other in itertools.permutations(GRAMMATICAL, 2):
        assert transpiler.convert(texts[one], source=one, target=other) == texts[other]
    programs_ = {transpiler.decode(texts[dialect], dialect=dialect) for dialect in GRAMMATICAL}
    assert len(programs_) == 1


@given(programs(), st.sampled_from(SPACED))
def test_round_trip_with_the_blanks_of_python(source: str, dialect: str) -> None:
    assert_round_trip(source, [dialect], chunkings=[7])


@given(programs(), st.data())
def test_streaming_at_any_chunking(source: str, data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from((*CONVERTED, *SPACED)))
    simpy = transpiler.encode(source, dialect=dialect, verify=False)
    places = data.draw(st.lists(st.integers(0, len(simpy)), max_size=12))
    assert streamed(cut(simpy, places), dialect) == transpiler.decode(simpy, dialect=dialect)


@given(programs(), st.data())
def test_encoding_a_stream_at_any_chunking(source: str, data: st.DataObject) -> None:
    dialect = data.draw(st.sampled_from((*CONVERTED, *SPACED)))
    places = data.draw(st.lists(st.integers(0, len(source)), max_size=12))
    assert encoded(cut(source, places), dialect) == transpiler.encode(source, dialect=dialect, verify=False)


# ---------------------------------------------------------------------------------------------------------------- data

MARKS = ("<def_stmt>", "<comment>", "<debug>", "<block_end>", "<block_start>", "<line_sep>", "# c", "{", "}", ";", " in ", "\\")

# Everywhere that a string can stand.
STRING_PLACES = (
    *(
        "{}",
        "x = {}",
        "f({})",
        "f(a={})",
        "[{}, {}]",
        "{{{}: {}}}",
        "a[{}]",
        "a[{}:{}]",
        "a[{}, {}]",
        "return {}",
        "assert {}, {}",
        "raise {}",
    ),
    *(
        "def f(a={}): pass",
        "def f(a: {}) -> {}: pass",
        "@{}\nclass A({}): {}",
        "lambda a={}: {}",
        "{} if {} else {}",
        "not {} or {} and {}",
    ),
    *(
        "for a in {}, {}: {}",
        "while {}: {}",
        "with {} as a: {}",
        "if {}: {}\nelif {}: {}\nelse: {}",
        "{} + {} < {}",
        "({} {})",
        "-{}",
        "{}.a",
        "{}({})",
    ),
    *(
        "x: {} = {}",
        "x += {}",
        "yield {}",
        "await {}",
        "(a := {})",
        "[{} for a in {} if {}]",
        "print(*{}, **{})",
        "del a[{}]",
        "global a; {}",
    ),
    *(
        "try: {}\nexcept {}: {}\nfinally: {}",
        "match {}:\n case {}: {}\n case [{}, a]: {}\n case {{{}: a}}: {}",
        "f'{{a}}' {}",
        "# c\n{} # d\n# e",
    ),
)


@given(
    st.sampled_from(STRING_PLACES),
    st.lists(st.sampled_from(MARKS), min_size=1, max_size=4),
    st.sampled_from(("{!r}", "u{!r}", "b{!r}", "'''{}'''", '"{}"')),
)
def test_a_literal_survives_where_it_stands_whatever_it_spells(place: str, marks: list[str], quoting: str) -> None:
    if quoting.startswith("b") and place.endswith("{}\n# e"):
        quoting = "{!r}"
    body = "".join(marks)
    literal = quoting.format(body if "r" in quoting.partition("{")[2] else body.replace("\\", "\\\\"))
    source = place.format(*[literal] * place.count("{}")) + "\n"
    if dump(source) is None:
        return  # the two kinds of literal do not concatenate
    assert_round_trip(source, chunkings=(3,))
    for dialect in CONVERTED:
        assert transpiler.decode(transpiler.encode(source, dialect=dialect), dialect=dialect).count(literal) == source.count(literal)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_any_text_survives_in_a_literal_and_in_a_comment(text: str) -> None:
    line = text.replace("\n", " ")
    literal = "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    for source in (f"x = {literal}\n", f"#{line}\nx  #{line}\nf(  #{line}\n    y)\n"):
        if dump(source) is not None:
            assert_round_trip(source, chunkings=(3,))


# ------------------------------------------------------------------------------------------------------------ comments

_CODE = [case for case in GOLDEN if "#" not in case.python]


@pytest.mark.parametrize("case", _CODE, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", CONVERTED)
def test_a_comment_survives_at_every_token_boundary(case: object, dialect: str) -> None:
    failed = []
    for source in commented(case.python):  # type: ignore[attr-defined]  # a Case
        if dump(source) is not None:
            try:
                assert_round_trip(source, [dialect], chunkings=())
            except (AssertionError, SimPyError) as error:
                failed.append(f"{source}\n{error}")
    assert not failed, f"{len(failed)} places, the first:\n{failed[0]}"


@pytest.mark.parametrize("dialect", CONVERTED)
def test_two_comments_keep_their_order(dialect: str) -> None:
    """A comment at one boundary inside brackets, and another at a later one."""
    source = "(a + f(b, c=[d, -e], *g)[h:i] if not j else lambda k, l=(m): {n: o, **p})\n"
    step = 1 if DEEP else 13
    failed = []
    for i, one in enumerate(itertools.islice(commented(source, "# one"), 0, None, 1 if DEEP else 3)):
        for both in itertools.islice(commented(one, "# two"), i % step, None, step):
            if dump(both) is not None:
                try:
                    assert_round_trip(both, [dialect], chunkings=())
                except (AssertionError, SimPyError) as error:
                    failed.append(f"{both}\n{error}")
    assert not failed, f"{len(failed)} pairs, the first:\n{failed[0]}"


# ------------------------------------------------------------------------------------------- texts drawn from the grammar

_IMPORT_IN_BRACKETS = re.compile(r"<import_from_(?:future_)?stmt>[^<(]*\(")


def check_drawn(simpy: str, dialect: str) -> None:
    """A text of the grammar decodes; where Python reads the result, encoding it is canonical."""
    try:
        python = transpiler.decode(simpy, dialect=dialect)
    except SimPySyntaxError as error:
        assert "<comment>" in error.message, f"{simpy}\n{error}"  # the one thing that the grammar leaves to the decoder
        return
    assert streamed(cut(simpy, range(0, len(simpy), 5)), dialect) == python
    if dump(python) is None:
        return  # the grammar does not know which targets can be assigned to, which parameters may follow, ...
    again = transpiler.encode(python, dialect=dialect)
    assert transpiler.encode(transpiler.decode(again, dialect=dialect), dialect=dialect) == again
    if dialect == "classic" and "<comment>" not in simpy and not _IMPORT_IN_BRACKETS.search(simpy):
        assert again == simpy


@pytest.mark.parametrize("dialect", GRAMMATICAL)
@settings(max_examples=settings().max_examples * 3)
@given(data=st.data())
def test_drawn_from_the_grammar(dialect: str, data: st.DataObject) -> None:
    check_drawn(data.draw(bounded_simpy_texts(dialect)), dialect)


@pytest.mark.skipif(not DEEP, reason="rules drawn evenly make endless texts, most of which are thrown away: for the deep profile")
@pytest.mark.parametrize("dialect", GRAMMATICAL)
@settings(max_examples=settings().max_examples // 3)
@given(data=st.data())
def test_drawn_from_the_grammar_by_hypothesis(dialect: str, data: st.DataObject) -> None:
    check_drawn(data.draw(simpy_texts(dialect)), dialect)


# ------------------------------------------------------------------------------------------------------------- fragments


@settings(max_examples=settings().max_examples // 2)
@given(programs(), st.data())
def test_decode_breaks_lines_at_any_width(source: str, data: st.DataObject) -> None:
    simpy = transpiler.encode(source, verify=False)
    width = data.draw(st.one_of(st.none(), st.integers(1, 120)))
    python = transpiler.decode(simpy, width=width)
    assert dump(python) == dump(source)
    assert transpiler.encode(python, verify=False) == simpy
    if not re.search(r"['\"]{3}|#", python):
        assert not [line for line in python.splitlines() if line != line.rstrip()]


@given(
    st.lists(
        st.sampled_from([*"ab1 \n\t()[]{}:=,.'\"#\\", "def ", "if ", "else:", "<block_end>", "<line_sep>", "<def_stmt>", "<comment>"]),
        max_size=40,
    ).map("".join)
)
def test_any_text_is_converted_or_refused(text: str) -> None:
    for convert in (transpiler.encode, transpiler.decode):
        try:
            convert(text)
        except SimPyError as error:
            assert not type(error).__name__.startswith("RoundTrip"), str(error)
            lines = text.replace("\r", "\n").split("\n")
            assert error.line is None or 1 <= error.line <= len(lines) + 1


if sys.version_info >= (3, 12):

    def test_the_generator_knows_the_syntax_of_this_python() -> None:
        from tests.random_ast import LITERALS, STATEMENTS

        assert "TypeAlias" in STATEMENTS
        assert "f'{'a'}'" in LITERALS
