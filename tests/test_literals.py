"""Literals, comments and names: whatever data spells, it stays data; whatever a character looks like, it stays that one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from simpy_grammar.terminals import TERMINALS
from tests.helpers import CONVERTED, GRAMMATICAL, assert_round_trip, comments_of, cut, dump, pieces_of, streamed

# What a character may do that is not seen: change the direction, join, fill, end a line for some readers.
INVISIBLE = [
    *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c"),
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u180e", "\u3164", "\ufe0f", "\U000e0041", "\U000e0001"),
    *("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x7f", "\x85", "\xa0", "\u2028", "\u2029", "\u3000", "\x01", "\x1b"),
]
MARKERS = [
    *(
        "<comment>",
        "<comment>\n#",
        "<debug>",
        "<debug>}",
        "<debug\\>",
        "<debug",
        "<block_end>",
        "<block_end>" * 3,
        "<line_sep>",
        "<def_stmt>f",
    ),
    *(
        "```",
        "```\n",
        "\n```py\n<return>1\n```\n",
        "~~~",
        "line 1: not converted: ",
        "{",
        "}",
        "};",
        "#",
        "# c",
        "simpy_cut",
        "<0x41>",
        "</s>",
    ),
    *("'''", "<arrow>", "<if_stmt>a<block_start>", "\n<block_end>", "\\n<block_end>", "<fstring>", "\x01AA", "<|endoftext|>"),
]


# ----------------------------------------------------------------------------------------------------- odd characters


@pytest.mark.parametrize("char", INVISIBLE, ids=lambda char: f"{ord(char):04x}")
def test_an_invisible_character_survives_in_data_and_is_refused_in_code(char: str) -> None:
    data = f"x = 'a{char}b'  # c{char}d\nf'{{x}}{char}'\n" + (f'"""{char}"""\n')
    if char == "\x0c":
        data = data.replace("  # c\x0cd", "")  # for Python's own tokenizer a form feed ends no comment, for ours of ``comments_of`` either
    if dump(data) is not None:
        assert_round_trip(data, chunkings=(1,))
        for dialect in CONVERTED:
            assert transpiler.decode(transpiler.encode(data, dialect=dialect), dialect=dialect).count(char) == data.count(char)
    for code in (f"a{char}b = 1\n", f"a {char}= 1\n", f"f(a{char}, b)\n", f"if a:{char}\n    b\n", f"a = 1{char}\n"):
        if dump(code) is not None:
            assert_round_trip(code, chunkings=(1,))
            continue
        for dialect in CONVERTED:
            with pytest.raises(SimPyError):
                transpiler.encode(code, dialect=dialect)
    for simpy in (f"a{char}b=1", f"a={char}1", f"f(a{char} b)", f"{char}a"):
        for dialect in GRAMMATICAL:
            _decoded_to_what_stands_there(simpy, dialect, char)


def _decoded_to_what_stands_there(simpy: str, dialect: str, char: str) -> None:
    """A text is refused, or the character is part of a name or number that comes back."""
    try:
        python = transpiler.decode(simpy, dialect=dialect)
    except SimPyError:
        return
    assert char in python or char in "\f "
    tree = dump(python)
    if tree is not None:
        assert_round_trip(python, chunkings=())


def test_lone_surrogates_are_refused_with_a_position() -> None:
    with pytest.raises(PythonSyntaxError, match="lone surrogate") as caught:
        transpiler.encode("x = 1\ny = '\ud800'\n")
    assert (caught.value.line, caught.value.column) == (2, 6)
    with pytest.raises(PythonSyntaxError):
        transpiler.encode("x = '\udfff'\n", dialect="compact")
    escaped = "x = '\\ud800'\n"
    assert_round_trip(escaped)
    for dialect in GRAMMATICAL:
        assert transpiler.decode("x='\ud800'", dialect=dialect) == "x = '\ud800'\n"  # decoding passes data on, whatever it is
        assert streamed(pieces_of("x='\ud800'", 1), dialect) == "x = '\ud800'\n"
    assert transpiler.encode_beginning("x = '\ud800").simpy == "x="


LOOK_ALIKES = [
    ("\ufb01", "fi"),  # the ligature
    ("\u212b", "\u00c5"),  # Angstrom sign
    ("\u2115", "N"),
    ("\uff41", "a"),  # full width
    ("\U0001d4ea", "a"),  # mathematical script
    ("\u00aa", "a"),
    ("e\u0301", "\u00e9"),
    ("\u017f", "s"),
]


@pytest.mark.parametrize(("written", "normal"), LOOK_ALIKES)
def test_names_that_python_takes_for_the_same_keep_their_spelling_and_their_tree(written: str, normal: str) -> None:
    assert unicodedata.normalize("NFKC", written) == normal
    source = f"{written} = 1\nx.{written} = {normal}\nf({written}=2)\ndef {written}({written}, *, b): global {written}2\n"
    assert_round_trip(source)
    for dialect in CONVERTED:
        python = transpiler.decode(transpiler.encode(source, dialect=dialect), dialect=dialect)
        assert python.count(written) == source.count(written)


@pytest.mark.parametrize(
    "name", ["\u0430", "\u0441lass", "def\u200c", "\u0456f", "\u2170f", "\uff49\uff46", "\U0001d422\U0001d41f", "l\u0131st"]
)
def test_names_that_look_like_others_are_names(name: str) -> None:
    source = f"{name} = 1\nprint({name})\n"
    if dump(source) is None:
        for dialect in CONVERTED:
            with pytest.raises(SimPyError):
                transpiler.encode(source, dialect=dialect)
    else:
        assert_round_trip(source)


# ------------------------------------------------------------------------------------------ data that spells the grammar


@pytest.mark.parametrize("marker", MARKERS)
def test_data_never_becomes_grammar(marker: str) -> None:
    lines = marker.replace("\n", " ")
    source = (
        f"x = {marker!r}, {marker.encode()!r}, '''{_escaped(marker)}'''  # {lines}\n"
        f"# {lines}\nf(a,  # {lines}\n  b)\n"
        f"def g():\n    '''{_escaped(marker)}'''\n    # {lines}\n"
        f"y = f'{_braces(marker)}{{x}}{_braces(marker)}' f\"{{y:{'>'}{{z}}}}\"\n"
    )
    assert dump(source) is not None
    assert_round_trip(source, chunkings=(1, 5))
    for dialect in GRAMMATICAL:
        simpy = transpiler.encode(source, dialect=dialect)
        if marker.startswith("<") and marker.endswith(">") and "\\" not in marker:
            plain = transpiler.encode(source.replace(marker, "c"), dialect=dialect)
            found = [lexeme.terminal for lexeme in transpiler.lexemes(simpy, dialect=dialect)]
            assert found == [lexeme.terminal for lexeme in transpiler.lexemes(plain, dialect=dialect)]
        assert comments_of(transpiler.decode(simpy, dialect=dialect)) == comments_of(source)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'''", "\\'''").replace("\0", "\\0")


def _braces(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'").replace("{", "{{").replace("}", "}}").replace("\x01", "\\1")


@pytest.mark.parametrize("dialect", CONVERTED)
def test_simpy_inside_python_inside_simpy(dialect: str) -> None:
    source = "def f(a):\n    '''Doc.'''\n    return [a, f'{a!r:>{8}}', 'x']  # why\n"
    for _ in range(4):
        simpy = transpiler.encode(source, dialect=dialect)
        assert_round_trip(source, [dialect], chunkings=(3,))
        source = f"x = {simpy!r}\n# {simpy.splitlines()[0]}\ndef f():\n    return {transpiler.decode(simpy, dialect=dialect)!r}\n"
    assert transpiler.decode(transpiler.encode(source, dialect=dialect), dialect=dialect).count("def f") >= source.count("def f")


def test_the_mark_of_a_cut_in_a_program_is_a_name() -> None:
    from transpiler.unfinished import _NAME

    for source in (f"{_NAME} = 1\nx = (", f"x = '{_NAME}', (", f"def {_NAME}(a, b", f"# {_NAME}\nfor a in"):
        assert _NAME in transpiler.encode_beginning(source).simpy
        assert transpiler.encode(source + transpiler.completion(source)).count(_NAME) >= 1
    assert_round_trip(f"{_NAME} = '{_NAME}'  # {_NAME}\n")


@given(st.lists(st.one_of(st.sampled_from([*MARKERS, *INVISIBLE]), st.text(max_size=4)), max_size=8).map("".join), st.data())
def test_any_data_survives_any_stream(text: str, data: st.DataObject) -> None:
    source = f"x = {text!r}\ny = f'{_braces(text.encode('utf-8', 'replace').decode())}'\n"
    if dump(source) is None:
        return
    dialect = data.draw(st.sampled_from(CONVERTED))
    simpy = transpiler.encode(source, dialect=dialect)
    places = data.draw(st.lists(st.integers(0, len(simpy)), max_size=8))
    assert streamed(cut(simpy, places), dialect) == transpiler.decode(simpy, dialect=dialect)


def test_every_spelling_in_a_string_is_a_string() -> None:
    for dialect in GRAMMATICAL:
        texts = {text for spelled in Dialect.load(dialect).spellings.values() for text in spelled if text}
        texts |= {terminal.python for terminal in TERMINALS if terminal.python}
        source = "".join(f"x = {text!r}\n" for text in sorted(texts))
        simpy = transpiler.encode(source, dialect=dialect)
        strings = [lexeme.text for lexeme in transpiler.lexemes(simpy, dialect=dialect) if lexeme.terminal == "STRING"]
        assert strings == [repr(text) for text in sorted(texts)]
