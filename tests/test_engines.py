"""Grammars for engines: llguidance at its default limits, GBNF by a reader of its own, and requests that carry them."""

from __future__ import annotations

import contextlib
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from simpy_cli.main import main
from simpy_grammar.dialect import Dialect
from simpy_grammar.engines import engine_grammar
from simpy_grammar.errors import DialectError
from tests.engine_programs import LLGuidance, functions, mutants, reads, vocabulary_tokenizer
from tests.gbnf_matcher import Grammar
from transpiler import encode

DIALECTS = ("classic", "dense", "dense-newline", "classic-spaced")
PROGRAMS = [
    "x = f(a if b else c, ifx, 1 .real, .5, -1)[0:1, :]\n",
    'print(f"{a!r:>{w}} {{b}} {c=} {lambda_}", rf"\\d{x}", f"", f\'\'\'\'{q}\'\'\', "" "a")\n',
    'f"""a"b""{c}"""\nrb"x\\""\n"""a""b"""\n',
    "with (open(a) as b, c):\n    pass\nfor x, *y in z:\n    break\nelse:\n    x += 1\n",
    "# a\ndef f(a, /, b: int = 1, *, c=2, **d) -> None:  # b\n    return (  # c\n        a,\n        # d\n    )\n# e\n",
    "try:\n    pass\nexcept* (A, B) as e:\n    raise X from e\nfinally:\n    del a, b\n",
    "match a:\n    case [1, *_] | {'k': None, **r} if r:\n        type X[T: int] = list[T]\n    case _:\n        x: int = yield\n",
    "@a\nclass A(B, metaclass=C):\n    async def f(self):\n        return [await x async for x in y if not x], {**a}, {1, 2}\n",
    "from . import a as b, c\nimport d.e\nglobal_ = nonlocal_ = é\nx = a not in b is not c\n",
]
FAULTS = ["x=(", "x==", "1a", "<pass><pass>)", "x=f(a<comment>", "if", "f'{'", "'a", "x=1 2 3)", "<def_stmt>1"]


@cache
def llguidance(dialect: str, *, fenced: bool = False) -> LLGuidance:
    return LLGuidance(engine_grammar(Dialect.load(dialect), "llguidance", fenced=fenced))


@cache
def gbnf(dialect: str, *, fenced: bool = False) -> Grammar:
    return Grammar(engine_grammar(Dialect.load(dialect), "gbnf", fenced=fenced))


@cache
def texts(dialect: str) -> tuple[str, ...]:
    return tuple(encode(text, dialect=dialect, verify=False) for text in (*PROGRAMS, *functions(4)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_llguidance_takes_programs_and_refuses_mutants(dialect: str) -> None:
    pytest.importorskip("llguidance", reason="the extra engines is not installed")
    engine = llguidance(dialect)
    assert [text for text in texts(dialect) if not engine.accepts(text)] == []
    refused = [*islice(mutants(texts(dialect), Dialect.load(dialect), Random(0)), 15)]
    refused += [text for text in FAULTS if not reads(text, Dialect.load(dialect))]
    assert [text for text in refused if engine.accepts(text)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_gbnf_takes_programs_and_refuses_mutants(dialect: str) -> None:
    grammar = gbnf(dialect)
    short = [text for text in texts(dialect) if len(text) < 300]
    assert len(short) >= len(PROGRAMS)
    assert [(text, grammar.read(text)) for text in short if not grammar.accepts(text)] == []
    refused = [*islice(mutants(short, Dialect.load(dialect), Random(0)), 15)]
    refused += [text for text in FAULTS if not reads(text, Dialect.load(dialect))]
    assert [text for text in refused if grammar.accepts(text)] == []


def test_masks_of_llguidance_hold_every_token_at_its_limits() -> None:
    pytest.importorskip("llguidance", reason="the extra engines is not installed")
    small = pytest.importorskip("tests.small_tokenizers", reason="the extra tokenizers is not installed")
    from tokenizer_ext import Codec, extend

    tokenizer = extend(small.byte_bpe(), dialect="dense")
    grammar = engine_grammar(Dialect.load("dense"), "llguidance")
    engine = LLGuidance(grammar, vocabulary_tokenizer(tokenizer, end=tokenizer.token_to_id("<|endoftext|>")))
    codec = Codec(tokenizer, dialect="dense")
    refused = {text: engine.masks(codec.encode(text))[1] for text in texts("dense")}
    assert {text: positions for text, positions in refused.items() if positions} == {}


ANSWERS = [
    "only prose, and `code`\n",
    "Here:\n```python\n{}\n```\nand\n\n```python\n{}\n```\n",
    "```bash\nif x (\n```\nthen\n```python\n{}\n```",
]
BROKEN = ["```python\nx=(\n```\n", "a\n```python\n{}\n```\n```python\n<pass>)\n```\n", "```python\n{}"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_prose_is_free_and_fenced_blocks_are_programs(dialect: str) -> None:
    grammars: list[LLGuidance | Grammar] = [gbnf(dialect, fenced=True)]
    with contextlib.suppress(ImportError):
        grammars.append(llguidance(dialect, fenced=True))
    code = encode("def f(a):\n    return [a, 1]  # b\n\n\nx = f'{y}'\n", dialect=dialect)
    for grammar in grammars:
        assert [text for text in ANSWERS if not grammar.accepts(text.replace("{}", code))] == []
        assert [text for text in BROKEN if grammar.accepts(text.replace("{}", code))] == []


@pytest.mark.parametrize("to", ["llguidance", "gbnf", "lark"])
@pytest.mark.parametrize("dialect", ["python", "compact"])
def test_python_has_no_grammar_for_engines(to: str, dialect: str) -> None:
    with pytest.raises(DialectError, match="cannot count indents"):
        engine_grammar(Dialect.load(dialect), to)


def test_a_dialect_of_ones_own_has_a_grammar() -> None:
    own = Dialect.parse('%extends dense\nIF: " fi "\nLINE_SEP: "\\n"\nBLOCK_END: "\\n\\n"', name="own")
    grammar = Grammar(engine_grammar(own, "gbnf"))
    assert [grammar.accepts(text) for text in ("x=a fi b else c", "x=a if b else c", "f(a fi)")] == [True, False, True]


def test_command_prints_what_the_library_gives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["grammar", "export", "--to", "gbnf", "--dialect", "dense", "--fenced"]) == 0
    assert capsys.readouterr().out == engine_grammar(Dialect.load("dense"), "gbnf", fenced=True)
    assert main(["grammar", "export", "--to", "lark", "-o", str(tmp_path / "a.lark")]) == 0
    assert "def_stmt" in (tmp_path / "a.lark").read_text(encoding="utf-8")
    assert main(["grammar", "export", "--to", "lark", "--fenced"]) == 2
    assert "use llguidance or gbnf" in capsys.readouterr().err
