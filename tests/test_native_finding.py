"""The search for added tokens in C finds what the regular expressions find, or leaves the text to Python."""

from __future__ import annotations

from random import Random

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from tests.sample_programs import UNFINISHED
from tokenizer_ext.token_finder import TokenFinder
from transpiler import encode

pytestmark = [pytest.mark.quick, pytest.mark.skipif(core is None, reason="the native core is not built")]

CLASSIC = Dialect.load("classic")
STRINGS = [
    "a='utf-8'<if>self.x\n",
    "a=rf'{self.x}'",
    'f"{a[self.x]:{self.w}}"+self.x',
    "f'''{self.x!r}'{{self.x}}'''",
    "'''a''''''b'''",
    "f'{x}' '{self.x}'",
    "frf'self.x'",
    "af'{self.x}'",
    "éf'{self.x}'",
    "é'a'",
    "b'''self.x\\''''",
    '"""self.x\n',
    "'self.x\nself.x",
    "#self.x\nself.x",
    "f'{a<debug>}'",
    "t'{self.x:self.x}'",
    "f'{\"self.x\"}'",
    "f'\\N{DASH}{self.x}'",
    "f'\\{self.x}'",
    "<<if>",
    "<<<if>",
    "self.x\\",
    "'\\",
    "f'{",
]
TOKENS = """self. self.x x _ __ A aB 1 =a = == * **= / -> > < <= . .. := != - += % & | ^ @ ! ( ) () [x] <if>self. )<line_sep> return<l>
'utf-8' ='utf-8' ('a') #a {self.x {""".split()
TOKENS += ["a é b", "\0"]
PIECES = [*STRINGS, *TOKENS, *"'\"#\\\n{}fFrRtT<>=éab_1 .*\0−", *"''' \"\"\" {{ }} f' rf\" <n1> <debug> <if>".split()]


def programs() -> list[str]:
    found = [*STRINGS, "".join(STRINGS)]
    for source in UNFINISHED:
        try:
            found.append(encode(source, verify=False))
        except SimPyError:
            continue
    return [*found, "<line_sep>".join(found[len(STRINGS) :])]


def changed(text: str, random: Random) -> str:
    """The text with some characters deleted, inserted, doubled or replaced."""
    chars = list(text)
    for _ in range(random.choice((1, 1, 2, 5))):
        at, to = random.randrange(len(chars) + 1), random.randrange(len(chars) + 1)
        kind = random.randrange(4)
        if kind == 0:
            del chars[at : at + random.choice((1, 1, 3))]
        elif kind == 1:
            chars[at:at] = random.choice(PIECES)
        elif kind == 2:
            chars[at:at] = chars[to : to + random.randrange(9)]
        else:
            chars[at : at + 1] = random.choice(PIECES)
    return "".join(chars)


def finders(random: Random) -> list[TokenFinder]:
    special = list(CLASSIC.special_tokens)
    sets = [special, special + TOKENS, [*TOKENS, "'a'"], [], ["#a", "x"], ["#a", "'a'"]]
    signs = "<>=.*/-+:!_aA1b'\"(){}"
    sets += [
        random.sample(special, 5) + random.sample(TOKENS, 12) + ["".join(random.choices(signs, k=2)) for _ in range(9)] for _ in range(6)
    ]
    return [TokenFinder(tokens, CLASSIC) for tokens in sets]


def agree(finder: TokenFinder, text: str) -> bool:
    """Whether the core has read a text; then it has found what Python finds."""
    assert core is not None
    found = core.find(finder._native, text)
    pieces = core.pieces(finder._native, text)
    if found is None:
        assert pieces is None
        assert finder._by_pattern(text) is None or not text.isascii()
        return False
    assert found == finder._by_pattern(text) == finder._find(text)
    assert pieces[1::2] == [text[start:end] for start, end in found]
    assert "".join(pieces) == text
    return True


@pytest.mark.parametrize("seed", range(4))
def test_programs_and_changed_ones(seed: int) -> None:
    random = Random(seed)
    texts = programs()
    read = 0
    for finder in finders(random):
        for text in texts:
            read += agree(finder, text)
            read += agree(finder, changed(text, random))
    assert read > 1000


def test_a_text_that_the_core_leaves_to_python() -> None:
    finder = TokenFinder(["self.x"], CLASSIC)
    text = "f'{a:{self.x}}'+self.x"
    assert not agree(finder, text)
    assert finder.find(text) == finder._find(text)
    assert finder.pieces(text) == ["f'{a:{", "self.x", "}}'+", "self.x", ""]


def test_what_is_no_text_and_what_is_no_token() -> None:
    assert core is not None
    assert core.finder([""]) is None
    assert core.finder(["é"]) is None
    assert core.finder([1]) is None
    assert core.finder(["\ud800"]) is None
    assert core.find(core.finder(["a"]), "\ud800") is None
    assert core.find(core.finder(["a"]), b"a") is None
    assert core.find(object(), "a") is None
    with pytest.raises(TypeError):
        core.finder(1)
    assert TokenFinder(["é"], CLASSIC).find("é=é") == [(0, 1), (2, 3)]


def test_offsets_are_in_characters() -> None:
    finder = TokenFinder(["self.x", "é=é", "a é b"], CLASSIC)
    assert finder.find("'é𝒳'self.x") == finder._find("'é𝒳'self.x") == [(4, 10)]
    finder = TokenFinder(["self.x", "a é b"], CLASSIC)
    assert finder.find("é+a é b+'é'+self.x") == [(2, 7), (12, 18)]


def test_long_texts() -> None:
    finder = TokenFinder(["((((((((", "=a", "self."], CLASSIC)
    for text in ("(" * 100_003, "'" * 100_003, "=a" * 50_000, "\\" * 100_001, "f'{{" * 30_000, "self." * 40_000):
        agree(finder, text)
