"""What the playground asks of the toolchain (``web/python``), without a browser: the answers, and the stand-ins for tokenizer libraries."""

from __future__ import annotations

import doctest
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import transpiler
from simpy_cli.main import main
from tests.golden import Case, cases, errors
from tests.small_tokenizers import Tokenizer, byte_bpe, byte_bpe_nfc, models, sentencepiece_dummy, tiktoken_small, unigram
from tokenizer_ext.counting import TokenCounter
from web.python import page

STAND_INS = Path(page.__file__).parent / "stand_ins"
READABLE = [case for case in cases() if case.is_readable]
PROGRAM = "def f(a: int):  # é\n    return '<def_stmt> 😀 <|endoftext|>', a\n"


def ask(function: str, **arguments: Any) -> Any:
    return json.loads(page.asked(function, json.dumps(arguments)))


def units(text: str, start: int, end: int) -> str:
    """A part of a text by UTF-16 units, as JavaScript cuts it."""
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    page._tokenizers.clear()
    page._counter.cache_clear()


@pytest.mark.parametrize("case", READABLE, ids=lambda case: case.path.stem)
def test_both_ways_are_those_of_the_toolchain(case: Case) -> None:
    for dialect in ("classic", "dense", "compact"):
        there = ask("convert", text=case.python, side="python", dialect=dialect)
        assert (there["simpy"], there["proof"]) == (transpiler.encode(case.python, dialect=dialect), {"state": "proved"})
        back = ask("convert", text=there["simpy"], side="simpy", dialect=dialect)
        assert (back["python"], back["proof"]) == (case.decoded if dialect == "classic" else back["python"], {"state": "proved"})
        pairs = there["pairs"]
        for i, terminal in enumerate(there["terminals"]):
            if terminal in ("NAME", "NUMBER", "STRING"):
                start, end, other_start, other_end = pairs[4 * i : 4 * i + 4]
                assert units(there["python"], start, end) == units(there["simpy"], other_start, other_end)


@pytest.mark.parametrize("case", list(errors()), ids=lambda case: case.path.stem)
def test_errors_are_those_of_the_command(case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    side = "python" if "python" in case.sections else "simpy" if "classic" in case.sections else ""
    text = case.sections.get("python", case.sections.get("classic"))
    if text is None:
        return  # of another dialect; what matters is who prints it
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=SimpleNamespace(read=lambda *_: text.encode("utf-8", "surrogatepass"))))
    code = main(["encode" if side == "python" else "decode", "-q", "-"])
    said = capsys.readouterr().err.rstrip("\n")
    answer = ask("convert", text=text, side=side, dialect="classic")
    assert ("error" in answer) == (code != 0)
    if "error" in answer:
        assert answer["error"]["text"] == said


def test_the_proof_says_what_it_found() -> None:
    assert ask("convert", text="x = 1", side="simpy", dialect="compact")["proof"] == {"state": "other spelling", "canonical": "x=1"}
    refused = ask("convert", text="f(a=1 b)", side="simpy", dialect="classic")["error"]["text"]
    assert refused.startswith("<stdin>:1:8: error: the decoded program is not valid Python: positional argument follows keyword argument")
    assert ask("convert", text="f(a=1 b)", side="simpy", dialect="classic", prove=False)["proof"] == {"state": "skipped"}
    assert ask("convert", text="x", side="python", dialect="classic", prove=False)["proof"] == {"state": "skipped"}


def test_a_newline_at_the_end_is_left_out_where_it_is_in_the_way() -> None:
    answer = ask("convert", text="<return>a\n", side="simpy", dialect="classic")
    assert (answer["simpy"], answer["python"], answer["proof"]["state"]) == ("<return>a", "return a\n", "proved")


def test_columns_count_as_javascript_counts() -> None:
    error = ask("convert", text="x = '😀' )\n", side="python", dialect="classic")["error"]
    assert (error["line"], error["column"]) == (1, 10)
    assert ":1:9: " in error["text"]


def test_choices_are_those_of_the_command() -> None:
    from simpy_cli.options import DIALECTS

    about = ask("about")
    assert about["dialects"] == list(DIALECTS)
    assert [kind["name"] for kind in about["views"]] == list(transpiler.views.KINDS)
    assert ask("release")["python"] == sys.version.split()[0]


@pytest.mark.parametrize("make", [byte_bpe, byte_bpe_nfc, sentencepiece_dummy, unigram, tiktoken_small])
def test_counts_are_those_of_the_counter(make: Any) -> None:
    page._use("mine", make())
    expected = TokenCounter(make(), dialects=("python", "dense")).count(PROGRAM, shares=True)
    simpy = transpiler.encode(PROGRAM, dialect="dense")
    answer = ask("tokens", python=PROGRAM, simpy=simpy, dialect="dense", vocabulary="mine")
    assert {"python": len(answer["python"]), "dense": len(answer["simpy"])} == {name: count.tokens for name, count in expected.items()}
    rows = {row["dialect"]: row for row in ask("table", python=PROGRAM, vocabulary="mine")["rows"]}
    assert rows["dense"] == {"dialect": "dense", "added": len(answer["simpy"]), "stock": answer["stock"]}
    assert answer["python"] == sorted(answer["python"]) and answer["python"][-1] == len(PROGRAM.encode("utf-16-le")) // 2


def test_a_view_is_that_of_the_toolchain() -> None:
    page._use("mine", byte_bpe())
    answer = ask("show", python=PROGRAM, views=["signatures"], dialect="compact", numbers="none", vocabulary="mine")
    seen = transpiler.view(PROGRAM, ["signatures"], numbers=None)
    assert (answer["text"], answer["summary"], answer["fits"]) == (seen.text, seen.summary, True)
    assert answer["tokens"] == len(answer["ends"])
    assert "no view" in ask("show", python="x", views=["x"], dialect="compact", numbers="all", vocabulary="mine")["error"]["text"]


# --------------------------------------------------------------------------------------------------------- stand-ins


class Library:
    """What the worker gives to Python for a ``tokenizer.json``, made of the Python library."""

    def __init__(self, text: str) -> None:
        self.tokenizer = Tokenizer.from_str(text)

    def encode(self, texts: str) -> str:
        return json.dumps([self.tokenizer.encode(text, add_special_tokens=False).ids for text in json.loads(texts)])

    def decode(self, rows: str) -> str:
        return json.dumps([self.tokenizer.decode(ids, skip_special_tokens=False) for ids in json.loads(rows)])

    def token_to_id(self, name: str) -> int | None:
        found: int | None = self.tokenizer.token_to_id(name)
        return found


class Gpt:
    """The same for a vocabulary of OpenAI."""

    def __init__(self) -> None:
        self.encoding = tiktoken_small()

    def encode(self, text: str) -> str:
        return json.dumps(self.encoding.encode_ordinary(text))

    def bytes_of(self, ids: str) -> str:
        return json.dumps([self.encoding.decode_single_token_bytes(number).decode("latin-1") for number in json.loads(ids)])

    def id_of(self, data: str) -> int | None:
        found: int | None = self.encoding._mergeable_ranks.get(data.encode("latin-1"))
        return found

    def special_tokens(self) -> str:
        return json.dumps(self.encoding._special_tokens)


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The stand-ins in the places of the libraries, as in the page."""
    libraries = SimpleNamespace(hugging_face=Library, gpt_tokenizer=lambda name: Gpt())
    monkeypatch.setitem(sys.modules, "page_libraries", libraries)  # type: ignore[arg-type]  # it has what a module has
    found = {}
    for name in ("tokenizers", "tiktoken"):
        spec = importlib.util.spec_from_file_location(name, STAND_INS / f"{name}.py")
        assert spec and spec.loader
        found[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found[name])
    return found


def test_examples_run(stand_ins: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", stand_ins["tokenizers"])
    for module in (page, stand_ins["tokenizers"]):
        tests = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__) if test.examples]
        assert tests, module
        for test in tests:
            assert not doctest.DocTestRunner().run(test).failed, test.name


@pytest.mark.parametrize("make", [byte_bpe, byte_bpe_nfc, sentencepiece_dummy, unigram])
def test_a_tokenizer_behind_a_stand_in_counts_alike(make: Any, stand_ins: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    text = make().to_str()
    expected = {name: TokenCounter(make(), dialects=("python", name)) for name in ("classic", "dense")}
    wanted = {name: {spelling: count.tokens for spelling, count in counter.count(PROGRAM).items()} for name, counter in expected.items()}
    monkeypatch.setitem(sys.modules, "tokenizers", stand_ins["tokenizers"])
    assert ask("use_tokenizer_json", name="mine.json", text=text) == {"vocabulary": "mine.json"}
    for dialect, counts in wanted.items():
        simpy = transpiler.encode(PROGRAM, dialect=dialect)
        answer = ask("tokens", python=PROGRAM, simpy=simpy, dialect=dialect, vocabulary="mine.json")
        assert {"python": len(answer["python"]), dialect: len(answer["simpy"])} == counts
        for side, shown in (("python", PROGRAM), ("simpy", simpy)):
            assert answer[side] == sorted(answer[side]) and answer[side][-1] == len(shown.encode("utf-16-le")) // 2


def test_an_encoding_behind_a_stand_in_counts_alike(stand_ins: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [count.tokens for count in TokenCounter(tiktoken_small(), dialects=("python", "dense")).count(PROGRAM, shares=True).values()]
    spans = TokenCounter(tiktoken_small(), dialects=("python",)).spans(PROGRAM, "python")
    monkeypatch.setitem(sys.modules, "tiktoken", stand_ins["tiktoken"])
    ask("use_tiktoken", name="small")
    answer = ask("tokens", python=PROGRAM, simpy=transpiler.encode(PROGRAM, dialect="dense"), dialect="dense", vocabulary="small")
    assert [len(answer["python"]), len(answer["simpy"])] == wanted
    assert answer["python"] == page.utf16(PROGRAM, (end for _, end, _ in spans))


@pytest.mark.parametrize("text", ["{", "[]", '{"model": {}}', '{"model": {"vocab": {}}, "added_tokens": []}'])
def test_a_file_that_is_no_tokenizer_is_an_error(text: str, stand_ins: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", stand_ins["tokenizers"])
    said = ask("use_tokenizer_json", name="bad.json", text=text)["error"]["text"]
    assert said.startswith("bad.json: error: not a tokenizer file: ") and "\nhint: " in said


def test_a_vocabulary_that_cannot_hold_programs_is_refused() -> None:
    with pytest.raises(page.SimPyError, match="cannot hold programs"):
        page._use("words", Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")))
    assert "words" not in page._tokenizers
