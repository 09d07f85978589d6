"""The layout in C gives what the layout in Python gives, after every piece."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from fuzz.native import pure_python
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.terminals import CLOSE, COMMENT, ID, IMPORT, LAYOUT, OPEN, PREFIX, SEPARATOR, TERMINALS, named
from transpiler import encode, native_conversion
from transpiler.conversion import read_stream
from transpiler.pep8 import DEEPEST, Layout, TooDeepError
from transpiler.streams import Conversion

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

ROOT = Path(__file__).parent.parent
MODULES = "".join(f"{name}\n" for name in sorted(sys.stdlib_module_names))
WIDTHS = (1, 20, 40, 88, None)
PYTHON = Dialect.load("python")
INDENTS = ("    ", "\t", "", "é ")
BASES = ("", "", "  ", "é>")

PROGRAM = '''\
# top
"""A docstring
over lines.""" 'and more'
from __future__ import annotations
import os; import sys
import numpy
from . import a, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, cccccccccccccccccccccccccccccccccccccccccccc, ddddddddddd
from x import *
# above

# a class
@decorated(with_=["a", 'b', # inside
    # its own line
    """c
d"""], **rest)
class A(B[int], metaclass=C): ...
async def f(a, b: int = 1, *args: int, c=lambda x, y: (x, y), **kwargs) -> dict[str, list[tuple[int, int]]]: # header
    return {"aaaaaaaaa": f(1 + 2 * 3 - 4, not b), **c, "b" f"{a!r:>{width}} and {b = } {c['d']}": [x async for x in y if x or z]} # end
def stub(a): ...
if a: # header
    pass
elif (a and bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb or ccccccccccccccccccccccccccccccccccccccc) == dddddddddddddddddd:
    x = y = (1, ), (), [ ], ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" """c
d""" "e")
else:
    with (open(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) as b, ccccccccccccccccccccccccccccccccccc as é): ...
    f(((((((((((((((((((((((a, b), c), d), e), f), g), h), i), j), k), l), m), n), o), p), q), r), s), t), u), v), w), x)
    # last
match a:
    case [1, 2, *rest] | {"a": b, **others}: del a[1:2, ::3], b
'''


def programs() -> list[str]:
    return [PROGRAM, *((ROOT / name).read_text(encoding="utf-8") for name in ("transpiler/streams.py", "transpiler/line_breaks.py"))]


def cases() -> list[str]:
    """Each part of a case that is Python."""
    return [part for path in sorted((ROOT / "tests" / "cases").glob("*.txt")) for part in path.read_text(encoding="utf-8").split("\n---\n")]


def streams(texts: list[str]) -> list[tuple[list[int], list[str]]]:
    found = []
    for text in texts:
        try:
            stream = read_stream(text, Dialect.load("python"))
        except SimPyError:
            continue
        found.append((stream.terminals, [*map(str, stream.texts)]))
    return found


def pure(terminals: list[int], texts: list[str], width: int | None, indent: str = "    ", base: str = "") -> str | None:
    """What the layout in Python gives; nothing if it cannot lay out such lexemes."""
    layout = Layout(width=width, indent=indent, base=base)
    try:
        layout.write(terminals, texts)
        return layout.finish()
    except (IndexError, TooDeepError):
        return None


def native(terminals: list[int], texts: list[str], width: int | None, indent: str = "    ", base: str = "") -> str | None:
    assert core is not None
    target = core.layout(width, indent, base, MODULES)
    found: str | None = None if target is None else core.write(target, bytes(terminals), texts)
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_whole_programs(width: int | None) -> None:
    assert len(streams([PROGRAM])) == 1
    for index, (terminals, texts) in enumerate(streams([*programs(), *cases()])):
        indent, base = INDENTS[index % len(INDENTS)], BASES[index % len(BASES)]
        wanted = pure(terminals, texts, width, indent, base)
        assert wanted is not None
        text = native(terminals, texts, width, indent, base)
        # A mark in the text of a field is left to Python.
        assert text == wanted or (text is None and any("<debug\\" in piece for piece in texts))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_every_piece_settles_the_same(width: int | None, size: int) -> None:
    assert core is not None
    classic = Dialect.load("classic")
    text = encode(PROGRAM, dialect="classic", verify=False)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    converter = native_conversion.converter(classic, PYTHON, width, "\t", "é>")
    with pure_python():
        conversion = Conversion(classic, PYTHON, width=width, indent="\t", base="é>")
        wanted = [*map(conversion.feed, pieces), conversion.close()]
    assert [*(core.feed(converter, piece) for piece in pieces), core.finish(converter, "")] == wanted


def test_texts_that_stop_anywhere() -> None:
    for terminals, texts in streams([PROGRAM]):
        for end in range(len(terminals)):
            assert native(terminals[:end], texts[:end], 40, "  ") == pure(terminals[:end], texts[:end], 40, "  ")


def test_random_changes() -> None:
    """Lexemes that no reader gives, too: the result is that of Python, or none."""
    chance = random.Random(5)
    found = streams([*programs(), *cases()])
    odd = [ID[name] for role in (OPEN, CLOSE, SEPARATOR, LAYOUT, COMMENT, PREFIX, IMPORT) for name in named(role)]
    laid = 0
    for _ in range(1500):
        terminals, texts = chance.choice(found)
        at = chance.randrange(len(terminals) + 1)
        opened = [ID["DEF"], ID["NAME"], ID["EMPTY_PARAMETERS"], ID["BLOCK_START"]] * 6  # for the blocks that end in this part
        terminals, texts = opened + terminals[at : at + 300], ["", "f", "", ""] * 6 + texts[at : at + 300]
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(terminals) + 1)
            end = at + chance.choice([1, 1, 2, 5])
            change = chance.randrange(3)
            if change == 0:
                del terminals[at:end], texts[at:end]
            elif change == 1:
                terminals[at:at], texts[at:at] = terminals[at:end], texts[at:end]
            else:
                added = chance.choice([*odd, chance.randrange(len(TERMINALS))])
                terminals.insert(at, added)
                is_inner = added == ID["INNER_COMMENT"]
                texts.insert(at, "<comment>\n#c\n" if is_inner else chance.choice(["#c\n", "é", "", "a\nb", " "]))
        options = chance.choice(WIDTHS), chance.choice(INDENTS), chance.choice(BASES)
        made = native(terminals, texts, *options)
        if made is not None:
            laid += 1
            assert made == pure(terminals, texts, *options)
    assert laid > 1000


def test_blocks_nest_as_deep_as_python_reads() -> None:
    start = [ID["CLASS"], ID["NAME"], ID["BLOCK_START"]]
    for depth in (DEEPEST, DEEPEST + 1):
        terminals = [*start * depth, ID["PASS"], *[ID["BLOCK_END"]] * depth]
        texts = ["a" if terminal == ID["NAME"] else "" for terminal in terminals]
        wanted = pure(terminals, texts, 88)
        assert native(terminals, texts, 88) == wanted
        assert (wanted is None) == (depth > DEEPEST)


def test_groups_of_imports() -> None:
    for name in ("os", "sy", "sys", "sysx", "__future__", "_abc", "zzz", "zoneinfo", "a", "É", ""):
        terminals = [ID["IMPORT"], ID["NAME"], ID["IMPORT"], ID["NAME"], ID["LINE_SEP"]]
        texts = ["", "os", "", name, ""]
        wanted = pure(terminals, texts, 88)
        assert wanted is not None
        assert native(terminals, texts, 88) == wanted


def test_what_cannot_be_laid_out() -> None:
    assert native([255], [""], 88) is None  # no terminal
    assert native([ID["BLOCK_END"]], [""], 88) is None
    assert native([ID["INNER_COMMENT"]], ["#c"], 88) is None
    assert native([ID["FIELD_VERBATIM"]], ["<debug>debug>"], 88) is None
    assert native([ID["NAME"]], ["\ud800"], 88) is None
    assert native([ID["NAME"]], ["a"], -1) is None
    assert native([ID["NAME"]], [], 88) is None
