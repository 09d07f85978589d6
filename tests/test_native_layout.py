"""The layout in C gives what the layout in Python gives, after every piece."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.native import core
from simpy_grammar.terminals import CLOSE, COMMENT, ID, IMPORT, LAYOUT, OPEN, PREFIX, SEPARATOR, TERMINALS, named
from transpiler.conversion import read_stream
from transpiler.pep8 import DEEPEST, Layout, TooDeepError

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

ROOT = Path(__file__).parent.parent
MODULES = "".join(f"{name}\n" for name in sorted(sys.stdlib_module_names))
WIDTHS = (1, 20, 40, 88, None)
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


def pure(
    terminals: list[int], texts: list[str], cuts: list[int], width: int | None, indent: str, base: str, breaks_off: bool
) -> list[str] | None:
    """What the layout in Python gives; nothing if it cannot lay out such lexemes."""
    layout = Layout(width=width, indent=indent, base=base)
    found = []
    try:
        for at, end in zip([0, *cuts], [*cuts, len(terminals)], strict=True):
            layout.write(terminals[at:end], texts[at:end])
            found.append(layout.take())
        return [*found, layout.break_off() if breaks_off else layout.finish()]
    except (IndexError, TooDeepError):
        return None


def native(
    terminals: list[int], texts: list[str], cuts: list[int], width: int | None, indent: str, base: str, breaks_off: bool
) -> list[str] | None:
    assert core is not None
    found: list[str] | None = core.lay_out_pieces(bytes(terminals), texts, cuts, width, indent, base, MODULES, breaks_off)
    return found


def whole(terminals: list[int], texts: list[str], width: int | None, indent: str = "    ", base: str = "") -> str | None:
    assert core is not None
    found: str | None = core.lay_out(bytes(terminals), texts, width, indent, base, MODULES)
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_whole_programs(width: int | None) -> None:
    assert len(streams([PROGRAM])) == 1
    for index, (terminals, texts) in enumerate(streams([*programs(), *cases()])):
        indent, base = INDENTS[index % len(INDENTS)], BASES[index % len(BASES)]
        wanted = pure(terminals, texts, [], width, indent, base, False)
        assert wanted is not None
        text = whole(terminals, texts, width, indent, base)
        # A mark in the text of a field is left to Python.
        assert text == "".join(wanted) or (text is None and any("<debug\\" in piece for piece in texts))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_piece_settles_the_same(width: int | None, size: int) -> None:
    for terminals, texts in streams([PROGRAM]):
        cuts = [*range(size, len(terminals), size)]
        for breaks_off in (False, True):
            arguments = terminals, texts, cuts, width, "    ", "", breaks_off
            assert native(*arguments) == pure(*arguments)


def test_texts_that_stop_anywhere() -> None:
    for terminals, texts in streams([PROGRAM]):
        for end in range(0, len(terminals), 3):
            cuts = [end // 2, end // 2, max(end - 1, 0)] if end else []
            for breaks_off in (False, True):
                arguments = terminals[:end], texts[:end], sorted(cuts), 40, "  ", "", breaks_off
                assert native(*arguments) == pure(*arguments)


def test_random_cuts_and_changes() -> None:
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
        cuts = sorted(chance.randrange(len(terminals) + 1) for _ in range(chance.choice([0, 1, 5, 50])))
        options = chance.choice(WIDTHS), chance.choice(INDENTS), chance.choice(BASES), chance.random() < 0.4
        made = native(terminals, texts, cuts, *options)
        if made is not None:
            laid += 1
            assert made == pure(terminals, texts, cuts, *options)
    assert laid > 1000


def test_blocks_nest_as_deep_as_python_reads() -> None:
    start = [ID["CLASS"], ID["NAME"], ID["BLOCK_START"]]
    for depth in (DEEPEST, DEEPEST + 1):
        terminals = [*start * depth, ID["PASS"], *[ID["BLOCK_END"]] * depth]
        texts = ["a" if terminal == ID["NAME"] else "" for terminal in terminals]
        wanted = pure(terminals, texts, [], 88, "    ", "", False)
        assert whole(terminals, texts, 88) == (None if wanted is None else "".join(wanted))
        assert (wanted is None) == (depth > DEEPEST)


def test_groups_of_imports() -> None:
    for name in ("os", "sy", "sys", "sysx", "__future__", "_abc", "zzz", "zoneinfo", "a", "É", ""):
        terminals = [ID["IMPORT"], ID["NAME"], ID["IMPORT"], ID["NAME"], ID["LINE_SEP"]]
        texts = ["", "os", "", name, ""]
        wanted = pure(terminals, texts, [], 88, "    ", "", False)
        assert wanted is not None
        assert whole(terminals, texts, 88) == "".join(wanted)


def test_what_cannot_be_laid_out() -> None:
    assert core is not None
    assert whole([255], [""], 88) is None  # no terminal
    assert whole([ID["BLOCK_END"]], [""], 88) is None
    assert whole([ID["INNER_COMMENT"]], ["#c"], 88) is None
    assert whole([ID["NAME"]], ["\ud800"], 88) is None
    assert whole([ID["NAME"]], ["a"], -1) is None
    with pytest.raises(TypeError):
        core.lay_out(b"\x00", [], 88, "", "", "")
    with pytest.raises(ValueError, match="ascend"):
        core.lay_out_pieces(b"\x00", ["a"], [1, 0], 88, "", "", "", False)
