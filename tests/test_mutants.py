"""What mutation testing found too few tests for: exact texts of unfinished programs, and of comments wherever they may stand.

``benchmarks/mutation.py`` counts. The expected texts stand in ``tests/cases``; ``--update-cases`` writes what the converter
gives now, for a person to read in the diff.
"""

from __future__ import annotations

import contextlib
import io
import json
import tokenize
from collections.abc import Callable, Iterator

import pytest

import transpiler
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from tests.golden import CASES
from transpiler.partial import partial_parts

UNFINISHED = [
    "x = y + 1\n",
    "x: int = {1: a, **b}\n",
    "x += [i for i, j in k if i if not j]\n",
    "(a, *b) = lambda c, *d, e=1, **f: (c if d else e)\n",
    "f(a, *b, c=1, **d)[e:f, ::g].h @ -i\n",
    "a = b = c, = not d\n",
    "a if b else c, d\n",
    "print(a, end='')\n",
    "print >> a, b\n",
    "import a.b as c, d\n",
    "from a.b import (c as d, e)\n",
    "from . import a\n",
    "from __future__ import annotations\n",
    "from a import *\n",
    "del a, b[c]\n",
    "global a, b\n",
    "nonlocal a\n",
    "assert a, b\n",
    "raise A(b) from c\n",
    "return a, *b\n",
    "await a; yield b; yield from c\n",
    "x = yield\n",
    "pass; break; continue\n",
    "type A[B: int, *C, **D] = E\n",
    "type = match = case = 1\n",
    "match(a)\n",
    "type(a).b = c\n",
    "if a:\n    b\nelif c: d\nelse:\n    pass\ne\n",
    "while a and b:\n    c; break\nelse: d\n",
    "for a, b in c, d:\n    e\n",
    "async def f(a):\n    async for b in c: d\n    async with e as f: g\n",
    "with a as b, c: d\n",
    "with (a as b, c): d\n",
    "try:\n    a\nexcept B as c:\n    d\nexcept: e\nelse: f\nfinally: g\n",
    "try: a\nexcept* (B, C): d\n",
    "try:\n    try: a\n    finally: b\nfinally:\n    c\n",
    "@a.b(c)\n@d\ndef e(f: int = 1, /, g=2, *, h, **i) -> j: k\n",
    "def f[T: int](a: T) -> T:\n    '''Doc.'''\n    return a\n",
    "def f(): return 1\n",
    "class A: b = 1\n",
    "@a\nclass B[T](C, metaclass=D):\n    '''Doc.'''\n\n    def e(self):\n        pass\n",
    "match a, b:\n    case [c, *d] if e: f\n    case {'g': 1, **h} | I(j=-2) as k:\n        pass\n    case _: l\n",
    "f'a{b!r:>{c}}d{{e}}' f\"{f'{g}'}\" rb'h' '''i\nj'''\n",
    "f'{a=}' f'''{\nb:c}''' rf'\\{d}'\n",
    "x = 0xFF + 1.5e-3 - 2j .a\n",
    "x = a is not b not in c <= d != e\n",
    "x = (y := 1)\n",
    "x = {a for b in c}, {d: e for f in g}, (h async for i in j)\n",
    "a[b, *c]\n",
    "# one\nx  # two\n",
    "False\nNone if True else False\n",
    "not a\nlambda: a\nyield a\n-a @ b\n",
    "x = [a if b else c, d] if e else f\n",
    "del (a), b,\n",
    "if a:  # one\n    # two\n    b  # three\n# four\n",
    "f(  # one\n    a,\n    # two\n    b)\n",
    "x = a \\\n    + b\n",
    "class A:\n\tx = (1,\n2)\n",
    "é = 'ж' + ñ\n",
]
"""Programs that are cut off everywhere."""

BROKEN = [
    "x = = 1\n",
    "a\nb c\nd\n",
    "if a:\nb\n",
    "def f(:\n    pass\nx\n",
    "x = )\n",
    "a\n  b\n",
    "'''",
    "x = $\ny\n",
    "f'{a!'\n",
    "else: a\n",
]
"""Texts that are wrong rather than unfinished."""

COMMENTED = [
    "x = a + b\n",
    "if a:\n    b\nelse:\n    c\nd\n",
    "if a:\n    pass\nb\n",
    "for a in b:\n    if c:\n        pass\n    elif d:\n        e\nf\n",
    "while a:\n    break\nelse:\n    b\n",
    "try:\n    a\nexcept B as c:\n    d\nexcept:\n    e\nfinally:\n    f\n",
    "with a as b, c:\n    d\n",
    "with (a as b, c):\n    d\n",
    "@a\n@b(c)\ndef d(e, f: int = 1, *g, **h) -> i:\n    j\n",
    "class A(B, c=D):\n    def e(self):\n        pass\n\n    f = 1\n",
    "match a:\n    case B(c, d=[e, *f]) | {'g': h}:\n        pass\n    case (i, j), if k:\n        l\n    case _:\n        m\n",
    "match a:\n    case b.C(d.e, f=-1):\n        pass\nn\n",
    "match a:\n    case -1 + 2j | c.d:\n        e\n    case {'a': -1, b.c: [-2, *_]}:\n        f\n",
    "match a:\n    case (-1), [g, (h), i as j]:\n        'k' 'l'\n",
    "from a import (b, c as d)\n",
    "f(a, *b, c=d, **e)[g:h, i]\n",
    "x = [a, (b,), {c: d, **e}, {f}]\n",
    "x = (a, b,)\n",
    "x = (a,)\n",
    "x = (a if b else c)\n",
    "x = (lambda a, b=(c): d)\n",
    "x = (lambda: a)\n",
    "x = (a not in b is not c and not -d)\n",
    "x = [a for b, c in d if e if f]\n",
    "x = (y := a.b.c)\n",
    "def f(a: B[c], *d: E):\n    return (a\n            + d)\n",
    "a; b\nimport c\n",
    "if a:\n    b\n    c\n    d\n",
    "class A:\n    @a\n    @b\n    def c(self, *d: e, **f: g):\n        pass\n",
    "match a:\n    case [b.C(d), e.f, C(g=h.i)]:\n        pass\n",
    "if a:\n    for b in c:\n        pass\nelse:\n    pass\n",
    "del (a, b)\n",
    "x = ('a' 'b' r'c')\n",
    "async def f():\n    async with a:\n        await b\n",
]
"""Programs that get a comment at every place where Python allows one."""

REPAIRED = [
    "def f[T = int, *U = *tuple[int], **V = []](): pass\n",
    "class A[T = (int), U: str = '='](B[c == d]): pass\n",
    "type X[T = dict[str, int]] = T\n",
    "return_ = *-a, *await_\nx = *+a, [*~b, *await_c], {*True, *None, *False}\n",
    "def f():\n    return *-a, b\n",
    "def f():\n    yield *not_, *-a\n",
    "from __future__ import*\n",
    "from __future__ import *\n",
    "def f() -> None: a[0] = 1\n",
    "if a:\n    async  def  f(b: '->' = {}) -> c[d]: e[0] = 1  # f\n    g\n",
    "class A:\n    @b\n# Xomment\n    def c(self): pass\n",
    "class A:\n    @b(\n1)\n  # Xomment\n    def c(self): pass\n",
    "class A:\n\tdef f(self):\n\t\tx = [\n*-a,\n# X\n'(', \"[\", '''\n(''', \"\"\"\n[\"\"\"]\n\t\treturn x\n",
    "def f():\n    x = (\n1 +\n  2, *-a)\n    y = {\n*-b}\n",
    "type(a).b = c\ntype X = int\ntype(d)[e] = f\n",
    "print >> a, b\nprint >> c,\nprint >>d\n",
    "type[a].b = 1\n",
    "del a, b,\ndel (a, b,), c\n",
    "f'{a, b,}{c,}'\n",
    "x = '' 'a' f'' 'b' \"\" \"c\" '' \"d\" f\"\" \"e\" \"f\" ''\n",
    "if a:  # one\n    # two\n    # three\n    pass\n",
    "class A:  # one\n    # two\n    b  # three\n\n    # four\n    c\n",
    "for a, in b, c,: d, = e,\n",
]
"""Programs that tree-sitter misreads."""


def commented(source: str) -> Iterator[str]:
    """A program with a comment put in before each of its tokens in turn, at the end of a line and on one of its own."""
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER) or row > len(lines):
            continue
        before, after = "".join(lines[: row - 1]) + lines[row - 1][:column], lines[row - 1][column:] + "".join(lines[row:])
        if token.type in (tokenize.NEWLINE, tokenize.NL):
            yield f"{before}  # X{after}"
            continue
        yield f"{before}# X\n{' ' * column}{after}"
        yield f"{before}\n{' ' * column}# X\n{' ' * column}{after}"
    for indent in ("", "    ", "        "):
        yield f"{source}{indent}# X\n"


def _check(name: str, update: Callable[[], list[list[str]]], request: pytest.FixtureRequest, now: Callable[[str], list[str]]) -> None:
    """Compare the rows of a file, each a program and what becomes of it, with what the converter gives now."""
    path = CASES / name
    if request.config.getoption("--update-cases"):
        rows = update()
        path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert len(rows) >= 10
    for python, *expected in rows:
        assert now(python) == expected, python


def test_beginnings_of_programs(request: pytest.FixtureRequest) -> None:
    """Each row: the program, then for each of its beginnings the rest that is given back, and the SimPy."""
    classic = Dialect.load("classic")

    def beginnings(python: str) -> list[str]:
        found = []
        for end in range(len(python) + 1):
            simpy, rest = partial_parts(python[:end], classic)
            if python not in BROKEN:
                transpiler.Decoder().feed(simpy)
            found.append(f"{rest}|{simpy}")
        return found

    _check("beginnings.json", lambda: [[python, *beginnings(python)] for python in (*UNFINISHED, *BROKEN)], request, beginnings)


@pytest.mark.parametrize("dialect", ["dense", "dense-newline"])
def test_beginnings_in_other_dialects(dialect: str) -> None:
    """What is open stays open: the beginnings decode as those of the dialect ``classic`` do, as far as that has come."""
    for python in UNFINISHED:
        for end in range(0, len(python) + 1, 3):
            simpy = transpiler.encode(python[:end], dialect=dialect, partial=True)
            transpiler.Decoder(dialect=dialect).feed(simpy)
        assert transpiler.decode(transpiler.encode(python, dialect=dialect, verify=False), dialect=dialect) == transpiler.decode(
            transpiler.encode(python, verify=False)
        )


def test_comments_everywhere(request: pytest.FixtureRequest) -> None:
    """Each row: a program with a comment, its SimPy, and what comes back in the layout of PEP 8 and in ``compact``."""

    def texts(python: str) -> list[str]:
        simpy = transpiler.encode(python, verify=False)
        decoded = transpiler.decode(simpy)
        dense = transpiler.encode(python, dialect="dense", verify=False)
        assert transpiler.convert(simpy, source="classic", target="dense") == dense
        assert transpiler.decode(dense, dialect="dense") == decoded
        return [simpy, decoded, transpiler.encode(python, dialect="compact", verify=False)]

    def update() -> list[list[str]]:
        rows = []
        for source in COMMENTED:
            for python in commented(source):
                with contextlib.suppress(PythonSyntaxError):  # no comment may stand there
                    transpiler.encode(python)
                    rows.append([python, *texts(python)])
        return rows

    _check("comment_places.json", update, request, texts)


def test_repairs(request: pytest.FixtureRequest) -> None:
    """Each row: a program that tree-sitter misreads, its SimPy, and what comes back in the layout of PEP 8 and in ``compact``."""

    def texts(python: str) -> list[str]:
        simpy = transpiler.encode(python, verify=False)
        return [simpy, transpiler.decode(simpy), transpiler.encode(python, dialect="compact", verify=False)]

    _check("repairs.json", lambda: [[python, *texts(python)] for python in REPAIRED], request, texts)


@pytest.mark.parametrize(
    ("text", "dialect", "message"),
    [
        ("<comment># X\n", "classic", "a.simpy:1:1: error: a <comment> outside brackets"),
        ("x = \0", "compact", "a.simpy:1:5: error: source holds a NUL character"),
        ("x = (", "compact", "a.simpy:1:5: error: '(' was never closed"),
        ("a=b<comment>#\n", "classic", "a.simpy:1:4: error: a <comment> outside brackets"),
    ],
)
def test_errors_of_decoding_say_where(text: str, dialect: str, message: str) -> None:
    with pytest.raises(SimPyError) as caught:
        transpiler.decode(text, dialect=dialect, path="a.simpy")
    assert str(caught.value).startswith(message)


def test_lone_surrogates_in_unfinished_text_are_no_fault() -> None:
    assert transpiler.encode("x = '\udc80'\ny = 1", partial=True).endswith("y=1")
