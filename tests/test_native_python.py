"""The reader of Python in the native core: it reads what ``PythonReader`` reads, whole and in pieces, and refuses what it refuses."""

from __future__ import annotations

from random import Random

import pytest

from fuzz.native import pure_python
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.stream import Stream
from simpy_grammar.table_cache import load_tables
from tests.golden import cases
from tests.sample_programs import UNFINISHED
from transpiler import native_conversion
from transpiler.conversion import located_stream
from transpiler.streams import Conversion

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")
PYTHON, CLASSIC = Dialect.load("python"), Dialect.load("classic")

# What means more than it seems, or may go on in many ways.
ODD = (
    "match x:\n    case 1: pass\n    # c\n  # d\nmatch(x)\nmatch = case = type = 1\n",
    "match (a, b): # c\n  # d\n  case _:\n    pass\n",
    "f'{a!r:>{w}} {{x}} {b=}' 'c' f\"{d:%H}\"\n",
    "t'{a=} {b!r} {c:x{d}y} {e = !r} {f # c\n}' 1\n",
    "t'{t\"{x=}{y=!s}\"=} <debug {z}'\nt\"{'<debug\\\\' = }\"\n",
    "(a, # c\n t'{(b, # d\n)}', # e\n)\n",
    "f'''{\nx # c\n}''' f'\\N{DIGIT ONE}{a}\\{b}' rf'\\{c}' f'{ {1:2} }{{'\n",
    "f'{lambda x: 1}' f'{(lambda x: 1)}' f'{a!=b}{a:=5}{(a:=5)}{x!r:{y:{z}}}'\n",
    "with (a as b, c): pass\nwith (a, # c\n b): pass\nwith (a, # c\n): x\nwith (a), (b): c\nwith (yield): d\nwith (a := b): c\n",
    "from a import (b, # x\n c)\nfrom . . a import b\nfrom .. import (c)\nfrom \\\n __future__   import x\nfrom __future__ import (a,)\n",
    "a not # é\n in b\n",
    "(a is # é\n not b, c not # d\n # e\n in f)\nnot not a\n",
    "(x, # one\n # two\n)\n[y # three\n, z # four\n]\n",
    "type X = int\ntype = 1\ntype(a)\nlazy import a\nlazy = 2\n",
    "try: a\nexcept  * E: b\n",
    "try: a\n# c\nexcept (b, c): d # e\n# f\nelse: f\nfinally: e\n",
    "def f( ): pass\ndef g(\n): pass\ndef h[T: (a)](a, /, b: int = 1, *, c) -> d: # x\n    pass\n",
    "1 .real; 1 \\\n.real; 1.e5; 1..real; 0x_fF; 1_000j; .5; 1 if 2else 3\n",
    "x = 01\n",
    "x = 0_1_0\n",
    "x = 01_1\n",
    "x = '''a\n\\'''b''' r'\\'' rb\"\\\\\" u'' \"\"\n",
    "if a:\n\tb\n        c\n",
    "if a:\n \\\n b\n  # c\n# d\n\\\nelse: d; e;\n",
    "if a: # b\n  \f    # c\n    d\n\f\n",
    "@d # c\n@e\nasync def f(): await x; return\nclass A: x: int = 1\n",
    "a, b = c, = d, e\nfor a, b, in c, d: e\nx = {a: b, **c}, {*a, b}, a[b:c, ::d]\n",
    "größe = ñ + 日本 # é\n",
    "a° = 1\n",
    "a = €\n",
    "lambda: (yield), lambda x=1, *y: x[1:2]; print(*a, **b)\n",
    "if lambda: a: b\n",
    "x = $",
    "x = 'a",
    "x = '''a",
    "f'{a",
    "f'}'",
    "(]",
    ")",
    "a;;b\n",
)
PARTS = [*(part for text in ODD for part in text.split("\n")), *"()[]{}:;,.'\"#\\\n \tfrtb01e=!*@~<>_é°", "'''", '"""', "\n    ", "\\\n"]


def native(text: str) -> object:
    return said(native_conversion.read(text, PYTHON, located=True))


def pure(text: str) -> object:
    try:
        with pure_python():
            return said(located_stream(text, PYTHON))
    except (StuckError, LexError):
        return None


def said(stream: Stream | None) -> object:
    return None if stream is None else (stream.terminals, [*map(str, stream.texts)], stream.starts)


Steps = tuple[list[tuple[str, int]], str | None]
"""What each piece settles in another dialect, and how far is read after it; and the rest, unless the text is refused."""


def native_pieces(pieces: list[str]) -> Steps:
    converter = native_conversion.converter(PYTHON, CLASSIC, 88, "    ", "")
    steps: list[tuple[str, int]] = []
    text = b""
    for piece in pieces:
        written = core.feed(converter, piece)
        if written is None:
            assert core.finish(converter, "") is None
            return steps, None
        text += piece.encode()
        steps.append((written, len(text[: core.position(converter)].decode())))
    return steps, core.finish(converter, "")


def pure_pieces(pieces: list[str]) -> Steps:
    steps: list[tuple[str, int]] = []
    with pure_python():
        conversion = Conversion(PYTHON, CLASSIC)
        try:
            for piece in pieces:
                steps.append((conversion.feed(piece), conversion.position))
            return steps, conversion.close()
        except SimPyError:
            return steps, None


def check_pieces(pieces: list[str]) -> None:
    assert native_pieces(pieces) == pure_pieces(pieces)


def cut(text: str, random: Random) -> list[str]:
    length = random.choice((1, 3, 20, 200))
    found, at = [], 0
    while at < len(text):
        size = random.randint(length > 1, length)
        found.append(text[at : at + size])
        at += size
        if not size:
            at += 1
            found.append(text[at - 1])
    return found


def programs() -> list[str]:
    return [*ODD, *UNFINISHED, *(case.python for case in cases())]


def changed(text: str, random: Random) -> str:
    for _ in range(random.choice((1, 1, 2, 4))):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 3, 20)))
        middle = random.choice((random.choice(PARTS), "", text[start:end] * 2))
        text = text[:start] + middle + text[end:]
    return text


def test_programs() -> None:
    for text in programs():
        assert native(text) == pure(text), text


def test_programs_in_pieces() -> None:
    random = Random(1)
    for text in programs():
        check_pieces(cut(text, random))


def test_every_cut_of_odd_ones() -> None:
    for text in ODD:
        check_pieces(list(text))
        for at in range(1, len(text)):
            check_pieces([text[:at], text[at:]])


def test_changed_programs() -> None:
    random = Random(2)
    texts = [text for text in programs() if len(text) < 3000]
    taken = 0
    for text in random.choices(texts, k=400):
        text = changed(text, random)
        found = native(text)
        assert found == pure(text), text
        taken += found is not None
        check_pieces(cut(text, random))
    assert taken > 60


def test_long_tokens() -> None:
    random = Random(3)
    for quotes in ("'''", "f'''", "# ", "(# ", "f'{x:", "("):
        body = "".join(random.choices(("abc ", "é", "\\'", '"', "{x}" if quotes[0] == "f" else "", "\\\\"), k=4000))
        text = f"a = 1\n{quotes}{body}"
        for end in ("'''\nb\n", "'\nb\n", "\n)\nb\n"):
            pieces = [text[at : at + 700] for at in range(0, len(text), 700)]
            check_pieces([*pieces, *end, "", "c", "''", "'", " " * 3000, "d\n"])


def test_names_beyond_ascii() -> None:
    assert native("é = 1\n") is not None
    assert native("é€ = 1\n") is None
    steps, rest = native_pieces(["a = b\nc", "€", " = ", "1\n"])
    assert len(steps) == 2
    assert rest is None


def test_deep_and_long() -> None:
    for text in ("(" * 5000 + "a" + ")" * 5000 + "\n", "f(" * 3000, "- " * 5000 + "1\n", "a." * 9000 + "b\n", "[" * 9000):
        assert native(text) == pure(text)


def test_other_tables_are_not_taken() -> None:
    classic = core.tables(load_tables(CLASSIC).data)
    assert core.source(classic, True, 0) is None
