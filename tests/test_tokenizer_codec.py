"""Safe encoding: only the grammar becomes grammar ids, and ids give back the text."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.name_boundaries import name_parts
from tests.helpers import dump
from tests.programs import programs
from tests.small_tokenizers import ROOT, SMALL, byte_bpe, byte_bpe_nfc, real, sentencepiece_dummy, unigram_ascii
from tests.test_tokenizer_extension import KNOWN, LEARNED
from tokenizer_ext import Codec, TokenizerError, extend
from tokenizer_ext.learning import CorpusFile, learn
from tokenizer_ext.plain_codec import PlainCodec, codec_for
from tokenizer_ext.token_finder import TokenFinder
from transpiler import encode, lexemes

DIALECTS = ("classic", "dense", "dense-newline", "classic-spaced", "dense-spaced", "dense-open")
TOKENS = sorted({token for dialect in DIALECTS for token in Dialect.load(dialect).special_tokens})
SPECIAL_TEXTS = ("<|endoftext|>", "<s>", "</s>", "<unk>")
PROGRAMS = {
    "string": "x = \"<def_stmt>f<block_start>\" if y else '<if>'\n",
    "comment": "x = 1  # <if_stmt>a<block_start>\n# <return>\ny = a if b else c\n",
    "docstring": 'def f():\n    """A <block_end> and \\""" <return>."""\n    return None is not None\n',
    "raw": 'x = r"\\\\" + "<if>" if y else r"<or>\\\\"\n',
    "fstring": 'x = f"<if>{a if b else c}<else>" if f"{a}" else F\'{"<or>" if a else b}\'\n',
    "nested fstring": "x = f\"{'<if>' if a['<or>'] else f'{b or c}<or>'}\" or b\n",
    "same quotes": 'x = f"{a["<if>"] if b else "}"}<if>" if c else d\n',
    "format": 'x = f"{a:<10} {b:{w if v else 1}<if>} {c!r:<or>}" if d else e\n',
    "debug": 'x = f"{a if b else c = }<debug>{d or e=!r}"\n',
    "braces": 'x = f"{{<if>}} {a} }}" if b else f"\\N{BULLET}{{"\n',
    "triple fstring": "x = f'''\n<if> '{a if b else c}' ''{d or e}\n''' or f\n",
    "inner comment": "x = f(a,  # <if> it's \"\n      b if c else d)\n",
    "concat": "x = 'a' \"b\" f'{c if d else e}<concat>'\n",
    "names": "myself.x = self.xy == self.x; café = 'ÿ õ é e\u0301 \U0001f600'\n",
    "special": "x = '<s> </s> <unk> <|endoftext|> <0x41>'\n",
    "blanks": "x = '  ' + '\\t'; y = '''\n\n    a\n\t b  \n'''\n",
    "prefixes": "x = rb'<if>' if b'<or>' else u'<if>' or Rf'{a or b}\\d'\n",
    "empty": "",
}


def grammar_of(text: str, dialect: str, own: dict[str, int]) -> list[int]:
    """The ids of the grammar tokens of a text, by its lexemes."""
    found = []
    for lexeme in lexemes(text, dialect=dialect):
        if lexeme.terminal == "INNER_COMMENT":
            found.append(own["<comment>"])
        elif lexeme.terminal == "FIELD_VERBATIM":
            found += [own["<debug>"]] * 2
        elif not lexeme.is_data and lexeme.text.rstrip(" ") in own:  # a spaced dialect has a blank after it
            found.append(own[lexeme.text.rstrip(" ")])
    return found


def assert_round_trip(codec: Codec, text: str) -> None:
    """Text to ids to text to ids, with exactly the grammar as grammar ids."""
    ids = codec.encode(text)
    assert codec.decode(ids) == text
    assert codec.encode(codec.decode(ids)) == ids
    assert codec.count(text) == len(ids) == len(codec.spans(text))
    own = set(codec.own.values())
    assert [number for number in ids if number in own] == grammar_of(text, codec.dialect.name, codec.own)


@pytest.fixture(params=SMALL, scope="module")
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return SMALL[request.param]()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_only_the_grammar_becomes_grammar_ids(tokenizer: Any, dialect: str) -> None:
    codec = Codec(extend(tokenizer, dialect=dialect), dialect=dialect)
    for source in PROGRAMS.values():
        assert_round_trip(codec, encode(source, dialect=dialect, verify=False))


def test_learned_tokens_stay_out_of_literals_and_longer_names(tokenizer: Any) -> None:
    codec = Codec(extend(tokenizer, learned=LEARNED))
    first = codec.own["zig."]
    for source in PROGRAMS.values():
        text = encode(source, verify=False)
        assert codec.decode(codec.encode(text)) == text
    text = "myzig.x=f('zig.a)<line_sep>')<line_sep>zig.y"
    assert codec.decode(codec.encode(text)) == text
    assert codec.encode(text).count(first) == 1
    assert codec.encode(text).count(codec.own[")<line_sep>"]) == 1


@given(st.lists(st.text("abcXYZ_019\u00e9", min_size=1, max_size=9), min_size=1, max_size=4))
def test_a_name_is_cut_between_its_parts_only(names: list[str]) -> None:
    finder = TokenFinder(["a", "ab", "X", "Xa", "_", "__", "_a", "a_", "X_", "1", "a.a", "_.", ".X", "9_a"], Dialect.load("classic"))
    text = ".".join(names)
    ends = {0}
    for part in [part for name in names for part in (*name_parts(name), ".")]:
        ends.add(max(ends) + len(part))
    for start, end in finder.find(text):
        assert {start, end} <= ends, text[start:end]


PARTS = ["'a'", '"a"', "''", '""', '"""a"""', "r'a'", "f'a'", "f'{x}a'", "b", "a", "+", "#'a'\n", "'''a'b'''"]
WHOLE = re.compile("'a'|\"a\"")


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.sampled_from(["", " "]))
def test_a_token_holds_strings_as_a_whole_only(parts: list[str], between: str) -> None:
    finder = TokenFinder(["'a'", '"a"', "''", '""', "+'a'", "'a'+", "=", "a", "+"], Dialect.load("dense"))
    text = f"x={between.join(parts)}"
    try:
        found = [lexeme for lexeme in lexemes(text, dialect="dense") if lexeme.is_data and lexeme.terminal != "NAME"]
    except SimPyError:
        return
    tokens = finder.find(text)
    for start, end in tokens:
        assert all(end <= data.start or start >= data.end or (start <= data.start and data.end <= end) for data in found), text[start:end]
    held = [one for start, end in tokens for one in WHOLE.findall(text[start:end])]
    alone = [data.text for data in found if WHOLE.fullmatch(data.text) and text[data.end : data.end + 1] not in ("'", '"', *"rf")]
    assert "{" in text or set(held) >= set(alone), text


def test_literals_are_learned_where_they_are_asked_for() -> None:
    files = [CorpusFile(f"package{i}", f"open(x, 'utf-8')\nsay('utf-8 or {i}')\nx{i} = 1\n" * 20) for i in range(5)]
    assert not any("utf" in token for token in learn(byte_bpe(), files, budget=5, held_out=0.0).learned.tokens)
    learned = learn(byte_bpe(), files, budget=5, classes="literals", held_out=0.0).learned
    assert any("'utf-8'" in token for token in learned.tokens), learned.tokens
    codec = Codec(extend(byte_bpe(), dialect="dense", learned=learned), dialect="dense")
    for file in files:
        simpy = encode(file.source, dialect="dense")
        ids = codec.encode(simpy)
        assert codec.decode(ids) == simpy
        assert sum(ids.count(number) for token, number in codec.own.items() if "'utf-8'" in token) == 20


@pytest.mark.parametrize("prefix", ["r", "b", "f", "u", "Rb", "rB", "bR", "fR", "Rf"])
def test_the_prefix_of_a_string_is_no_part_of_a_name(prefix: str) -> None:
    finder = TokenFinder([f"={prefix[0]}", f"={prefix}", prefix[-1], "=x"], Dialect.load("classic"))
    assert finder.find(f"a={prefix}'x=x'") == []
    assert len(finder.find(f"a={prefix} a=x")) == 2


def test_the_common_case_is_what_the_tokenizer_gives() -> None:
    for make in (byte_bpe, sentencepiece_dummy):
        extended = extend(make())
        codec = Codec(extended)
        for path in sorted((ROOT / "simpy_grammar").glob("dialect.py")):
            text = encode(path.read_bytes(), verify=False)
            plain = extended.encode(text, add_special_tokens=False).ids
            own = set(codec.own.values())
            spelled = sum(number in own for number in plain) - sum(number in own for number in codec.encode(text))
            assert (codec.encode(text) == plain) is (spelled == 0)


def test_runs_between_grammar_tokens_merge_across_lexemes() -> None:
    codec = Codec(extend(byte_bpe(), dialect="dense"), dialect="dense")
    text = "f(a);g(a);h(a)"
    assert codec.encode(text) == byte_bpe().encode(text).ids


@pytest.mark.parametrize(
    "text", ['<if_stmt>a<block_start>x="<if>', "x=f(a<if>", "<return>f\"{a<if>b<else>c['<or>']", "# <if>", "f'{a", '"""<if>', "'", '"\\']
)
def test_an_unfinished_text_is_read_as_far_as_it_goes(text: str) -> None:
    codec = Codec(extend(byte_bpe()))
    assert codec.decode(codec.encode(text)) == text


def test_unfinished_literals_hold_no_grammar() -> None:
    codec = Codec(extend(byte_bpe()))
    own = {number: token for token, number in codec.own.items()}
    assert [own[number] for number in codec.encode('<return>a<or>"<if>') if number in own] == ["<return>", "<or>"]


def test_a_normal_form_changes_nothing() -> None:
    codec = Codec(extend(byte_bpe_nfc()))
    assert codec.decode(codec.encode("x='e\u0301'")) == "x='e\u0301'"


def with_hole(*, added: bool) -> Any:
    """A vocabulary whose ids have a hole, as p50k_base: the library then gives an added token the id of the last ordinary one."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {char: i for i, char in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE({**ids, "ab": 257}, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if added:
        tokenizer.add_special_tokens(["</s>"])
    return tokenizer


def test_vocabularies_with_holes() -> None:
    tokenizer = with_hole(added=True)
    assert tokenizer.token_to_id("</s>") == tokenizer.token_to_id("ab") == 257
    codec = Codec(extend(tokenizer))
    assert codec.decode(codec.encode("<return>ab")) == "<return>ab"
    with pytest.raises(TokenizerError, match="the library cannot give this tokenizer new ids"):
        extend(with_hole(added=False))


def test_control_tokens_that_are_not_special_stay_out_of_text() -> None:
    """As Qwen has them: special tokens, then control tokens and words that are not marked as such."""
    from tokenizers import AddedToken, Tokenizer

    tokenizer = Tokenizer.from_str(byte_bpe().to_str())
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<|fim_middle|>", normalized=False), AddedToken("        ", normalized=False)])
    extended = extend(tokenizer)
    codec = Codec(extended)
    text = "x='<|fim_middle|> <|im_end|>        '"
    ids = codec.encode(text)
    assert codec.decode(ids) == extended.decode(ids, skip_special_tokens=False) == text
    assert not {tokenizer.token_to_id("<|fim_middle|>"), tokenizer.token_to_id("<|im_end|>")} & set(ids)
    assert tokenizer.token_to_id("        ") in ids


def test_what_the_vocabulary_cannot_hold_is_an_error() -> None:
    codec = Codec(extend(unigram_ascii()))
    assert codec.decode(codec.encode("x='a'<if>b")) == "x='a'<if>b"
    with pytest.raises(TokenizerError, match="cannot carry '\N{SNOWMAN}'"):
        codec.encode("x='\N{SNOWMAN}'")


def test_a_tokenizer_that_is_not_extended_is_an_error() -> None:
    with pytest.raises(TokenizerError, match="holds no grammar tokens\nhint: extend it first"):
        Codec(byte_bpe())


def test_the_fast_way_and_the_sure_way_find_the_same() -> None:
    for dialect in map(Dialect.load, DIALECTS):
        finder = TokenFinder([*dialect.special_tokens, "self.", ")<line_sep>", "=None", "in "], dialect)
        for source in PROGRAMS.values():
            text = encode(source, dialect=dialect, verify=False)
            fast = finder._by_pattern(text)
            assert fast is None or fast == finder._by_lexemes(text)


_PART = st.sampled_from([*"<>{}'\"\\#\n abf_:!=\u00e9", "<if>", "<def_stmt>", "<line_sep>", "self.", "<debug>"])
_TEXT = st.lists(_PART, max_size=12).map("".join)
_LITERAL = _TEXT.map(repr)
_FIELD = st.sampled_from(
    ["{a}", "{a if b else c}", "{a['<if>']}", "{a:<10}", "{a or b!r:<if>}", "{a = }", "{{", "}}", "{a['x'] if b else c}", "{f(self.a)}"]
)
_FSTRING = st.lists(
    _FIELD | _TEXT.map(lambda text: repr(text)[1:-1].replace("{", "{{").replace("}", "}}").replace('"', "")), max_size=5
).map(lambda parts: 'f"' + "".join(parts) + '"')
_VALUE = _LITERAL | _FSTRING | st.sampled_from(["a if b else c", "self.x", "None", "a and b", "[x for x in y]", "'<or>' 'b'"])
_LINE = st.builds("x = {}  # {}".format, _VALUE, _TEXT.map(lambda text: text.replace("\n", " "))) | st.builds(
    "f({}, {})".format, _VALUE, _VALUE
)
_SOURCE = st.lists(_LINE, min_size=1, max_size=6).map("\n".join)
_CODECS: dict[tuple[str, str], Codec] = {}


@pytest.mark.parametrize("dialect", DIALECTS)
@given(source=_SOURCE, name=st.sampled_from(sorted(SMALL)))
def test_every_program_round_trips(dialect: str, source: str, name: str) -> None:
    try:
        compile(source, "<drawn>", "exec")
    except (SyntaxError, ValueError):
        return
    key = (name, dialect)
    if key not in _CODECS:
        _CODECS[key] = Codec(extend(SMALL[name](), dialect=dialect), dialect=dialect)
    assert_round_trip(_CODECS[key], encode(source, dialect=dialect, verify=False))


@pytest.mark.parametrize("name", KNOWN)
def test_real_vocabularies_give_back_the_standard_library(name: str, request: pytest.FixtureRequest) -> None:
    codec = Codec(extend(real(name)))
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    for path in files if request.config.getoption("--corpus") == "full" else files[::40]:
        text = encode(path.read_bytes(), verify=False)
        ids = codec.encode(text)
        assert codec.decode(ids) == text, path
        assert codec.encode(codec.decode(ids)) == ids, path


def test_a_codec_that_forgets_gives_the_same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = extend(byte_bpe())
    texts = [encode(program) for program in PROGRAMS.values()]
    expected = [Codec(tokenizer).encode(text) for text in texts]
    monkeypatch.setattr("tokenizer_ext.codec._REMEMBERED", 8)
    codec = Codec(tokenizer)
    assert [codec.encode(text) for text in texts] == expected
    assert [codec.count(text) for text in texts] == list(map(len, expected))


# ------------------------------------------------------------------------------------------------------------ any text

_IDS_OF = {dialect: Codec(extend(byte_bpe(), dialect=dialect), dialect=dialect) for dialect in DIALECTS}


@given(programs(), st.sampled_from(DIALECTS))
def test_ids_and_text_are_inverse_for_every_program(source: str, dialect: str) -> None:
    assert_round_trip(_IDS_OF[dialect], encode(source, dialect=dialect, verify=False))


@given(
    st.lists(
        st.one_of(st.sampled_from([*TOKENS, "'", '"', "'''", "f'", "{", "}", "\\", "#", "\n", "a", "1"]), st.text(max_size=3)), max_size=20
    )
)
def test_ids_give_back_any_text(parts: list[str]) -> None:
    """Text that is no program, too."""
    text = "".join(parts).encode("utf-8", "replace").decode()
    for codec in _IDS_OF.values():
        ids = codec.encode(text)
        assert codec.decode(ids) == text
        assert codec.encode(codec.decode(ids)) == ids


@given(
    st.lists(st.one_of(st.sampled_from([*TOKENS, *SPECIAL_TEXTS]), st.text(max_size=3)), min_size=1, max_size=6), st.sampled_from(DIALECTS)
)
def test_data_gives_no_grammar_ids(parts: list[str], dialect: str) -> None:
    """A literal or comment holds no id of the grammar, nor a special one of the tokenizer."""
    text = "".join(parts).encode("utf-8", "replace").decode()
    line = "".join(text.split())
    source = f"x = {text!r}  # {line}\ny = f({text.encode()!r},  # {line}\n  z)\n"
    if dump(source) is None:
        return
    simpy = encode(source, dialect=dialect)
    codec = _IDS_OF[dialect]
    own = set(codec.own.values())
    assert [number for number in codec.encode(simpy) if number in own] == grammar_of(simpy, dialect, codec.own)
    special = {number for number, spelled in codec._texts.items() if spelled in SPECIAL_TEXTS}
    assert special
    assert not special & set(codec.encode(simpy))


# ---------------------------------------------------------------------------------------------------------------- Python


@pytest.mark.parametrize("name", SMALL)
def test_python_has_ids_without_an_extension(name: str) -> None:
    tokenizer = SMALL[name]()
    plain, extended = PlainCodec(tokenizer), codec_for(extend(tokenizer), "compact")
    for program in PROGRAMS.values():
        text = encode(program, dialect="compact")
        ids = plain.encode(text)
        assert plain.decode(ids) == text
        assert extended.encode(text) == ids, "tokens of a grammar have no part in Python"


def test_what_a_vocabulary_cannot_carry_is_an_error_in_python_too() -> None:
    plain = PlainCodec(unigram_ascii())
    for _ in range(2):  # nothing is remembered
        with pytest.raises(TokenizerError, match="cannot carry 'é'") as error:
            plain.encode("x = 1\ncafé = 2\n")
        assert (error.value.line, error.value.column) == (2, 4)
    assert plain.decode(plain.encode("cafe = 2\n")) == "cafe = 2\n"


def test_the_codec_of_each_dialect() -> None:
    tokenizer = extend(byte_bpe(), dialect="dense")
    assert type(codec_for(tokenizer, "python")) is type(codec_for(tokenizer, "compact")) is PlainCodec
    assert codec_for(tokenizer, "dense").encode("<return> 1") == Codec(tokenizer, dialect="dense").encode("<return> 1")
    assert PlainCodec(tokenizer).decode([*PlainCodec(tokenizer).encode("x"), tokenizer.token_to_id("<return>")]) == "x<return>"


def test_a_vocabulary_that_loses_white_space_is_refused() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "x": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(TokenizerError, match="cannot hold programs"):
        PlainCodec(words)
