"""Fitting a dialect to a model: what it is asked, what is chosen, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra transformers is not installed")

from hypothesis import given  # noqa: E402  # the libraries may be missing
from hypothesis import strategies as st  # noqa: E402  # as above

from simpy_cli.main import main  # noqa: E402  # as above
from simpy_eval.judging import Judged, choose, judge, spaced, units  # noqa: E402  # as above
from simpy_eval.nats import nats_of  # noqa: E402  # as above
from simpy_eval.statistics import difference_interval  # noqa: E402  # as above
from simpy_grammar.dialect import BUILT_IN, Dialect  # noqa: E402  # as above
from simpy_grammar.errors import BackendError  # noqa: E402  # as above
from tests.evaluated_models import model, save_model  # noqa: E402  # as above
from tests.small_tokenizers import ROOT, byte_bpe  # noqa: E402  # as above
from tokenizer_ext import Codec, TokenizerError, fitting  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above

SOURCE = """\
def f{0}(a, b):
    if a is not b:
        return [a, {0}]
    return a == None


class C:
    def g(self, x):
        return x
"""
FUNCTIONS = ["def f(a):\n    return a == None\n", "def g(x):\n    for y in x:\n        print(y)\n"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(str(tmp_path_factory.mktemp("model")), "python")


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("src").mkdir()
    for number in range(4):
        Path(f"src/{number}.py").write_text(SOURCE.format(number))
    few = partial(fitting.fit, terminals=("EQUAL",), rounds=1)
    monkeypatch.setattr(fitting, "fit", few)  # a whole search takes long


def test_the_file_is_the_dialect_that_was_chosen(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--model", folder, "--corpus", "src", "--start", "dense", "-o", "mine.lark"]) == 0
    found = capsys.readouterr()
    head, *rows = found.out.splitlines()
    assert head.split() == ["dialect", "tokens", "nats", "against", "Python", "[95", "%]"]
    names = [row.partition("  ")[0] for row in rows]
    assert names == ["python", "compact", *BUILT_IN, "mine", "mine, spaced"]
    (chosen,) = (name for name, row in zip(names, rows, strict=True) if row.endswith("  chosen"))
    mine = Dialect.load("mine.lark")
    assert chosen not in ("python", "compact") and f"{chosen}: " in found.err and "of 2 functions saved" in found.err
    if chosen in BUILT_IN:
        assert mine == Dialect.load(chosen)
    assert encode("x = a == None\n", dialect=mine)


def test_nats_are_those_of_a_model_that_is_extended_for_each_dialect(folder: str) -> None:
    candidates = [Dialect.load(name) for name in ("dense-spaced", "classic", "dense")]
    found = {one.dialect.name: one for one in judge(folder, candidates, [*FUNCTIONS, "x ="])}
    assert list(found) == ["python", "compact", "dense-spaced", "classic", "dense"]
    for dialect in ("classic", "dense"):
        reader, tokenizer = model(dialect)
        ids = [[*Codec(tokenizer, dialect=dialect).encode(encode(text, dialect=dialect)), 0] for text in FUNCTIONS]
        assert found[dialect].tokens == [*map(len, ids)]
        assert found[dialect].nats == pytest.approx(nats_of(reader, ids, start=0), rel=1e-5)
    reader, tokenizer = model("python")
    ids = [[*tokenizer(text)["input_ids"], 0] for text in FUNCTIONS]
    assert found["python"].nats == pytest.approx(nats_of(reader, ids, start=0), rel=1e-5)


nats = st.lists(st.floats(1, 100), min_size=3, max_size=3)


@given(st.lists(st.tuples(st.integers(1, 20), nats), min_size=1, max_size=5))
def test_the_rule_of_the_choice(rows: list[tuple[int, list[float]]]) -> None:
    candidates = [Judged(Dialect.load("dense"), [tokens] * 3, each) for tokens, each in rows]
    chosen, best = choose(candidates), min(candidates, key=lambda one: sum(one.nats))
    assert chosen is best or difference_interval(best.nats, chosen.nats, seed=0).low <= 0
    for one in candidates:
        if sum(one.tokens) < sum(chosen.tokens):
            assert difference_interval(best.nats, one.nats, seed=0).low > 0


def test_a_spaced_form_is_that_of_the_dialect_file() -> None:
    for name in ("classic", "dense"):
        assert spaced(Dialect.load(name), "mine") == Dialect.load(f"{name}-spaced")


def test_units_are_functions_or_else_files() -> None:
    assert [*units([SOURCE.format(1), "x=1", "x ="])] == [
        "def f1(a, b):\n    if a is not b:\n        return [a, 1]\n    return a == None\n",
        "def g(self, x):\n    return x\n",
        "x = 1\n",
    ]


# ------------------------------------------------------------------------------------------------------------- refusals


def test_what_cannot_be_asked_is_said(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    cases = {
        "nowhere: error: no such folder": ["--model", "nowhere"],
        "empty: error: holds no config.json, so it is not a model": ["--model", "empty"],
        "argument --tokenizer: not allowed with argument --model": ["--model", folder, "--tokenizer", folder],
        "one of the arguments --tokenizer --model is required": [],
        "--functions is for a model to be asked\nhint: name it with --model": ["--tokenizer", folder, "--functions", "3"],
        "'0' is not a number of functions from 1": ["--model", folder, "--functions", "0"],
        "no device 'moon'": ["--model", folder, "--device", "moon", "--start", "dense"],
    }
    for message, words in cases.items():
        assert main(["fit", "--corpus", "src", "-o", "mine.lark", "-q", *words]) == 2
        assert message in capsys.readouterr().err
    assert not Path("mine.lark").exists()


def test_a_model_of_another_dialect_is_refused() -> None:
    save_model("model", "classic")
    with pytest.raises(TokenizerError, match="model: error: ") as error:
        judge("model", [Dialect.load("dense")], FUNCTIONS)
    assert error.value.hint
    assert [one.dialect.name for one in judge("model", [Dialect.load("classic-spaced")], FUNCTIONS)][2:] == ["classic-spaced"]


def test_no_program_is_left(folder: str) -> None:
    with pytest.raises(BackendError, match="no program to measure with"):
        judge(folder, [], [b"x = '\\udc80'".decode("unicode_escape"), "x ="])


def test_a_vocabulary_alone_imports_no_model() -> None:
    byte_bpe().save("tokenizer.json")
    words = ["fit", "--tokenizer", "tokenizer.json", "--corpus", "one.py", "--start", "dense", "-o", "mine.lark"]
    Path("one.py").write_text("x = 1\n")
    code = f"""
import sys
from simpy_cli.main import main

assert main({words!r}) == 0
print({{"torch", "transformers", "simpy_eval"}} & {{*sys.modules}})
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "set()"
