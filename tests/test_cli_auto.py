"""``--dialect auto``: the built-in dense dialect that suits a tokenizer, in every command that can name one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from simpy_cli.main import main
from simpy_cli.registry import COMMANDS
from tests.small_tokenizers import byte_bpe
from tokenizer_ext import LearnedTokens
from tokenizer_ext.fitting import fitted_dialect
from transpiler import encode

PROGRAM = "def f(a, b):\n    if a is not b:\n        return a\n    return b\n\n\nprint(f(1, 2))\n"


@pytest.fixture
def tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A tokenizer.json beside a program."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # `simpy run` takes its place, and later tests start processes
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text(PROGRAM, encoding="utf-8")
    byte_bpe().save("tokenizer.json")
    return "tokenizer.json"


@pytest.fixture
def name() -> str:
    return fitted_dialect(byte_bpe()).name


def test_encode_and_decode_choose_the_same(tokenizer: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    auto = ["--dialect", "auto", "--tokenizer", tokenizer]
    assert main(["encode", *auto, "a.py", "-o", "a.simpy"]) == 0
    assert capsys.readouterr().err.startswith(f"1 file encoded (dialect {name}), ")
    assert Path("a.simpy").read_text(encoding="utf-8") == encode(PROGRAM, dialect=name)
    assert main(["decode", *auto, "a.simpy"]) == 0
    out, err = capsys.readouterr()
    assert out == PROGRAM
    assert err.startswith(f"1 file decoded (dialect {name}), ")
    assert main(["run", *auto, "a.simpy"]) == 0
    assert capsys.readouterr().out == "1\n"


def test_convert_and_check(tokenizer: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.simpy").write_text(encode(PROGRAM), encoding="utf-8")
    assert main(["convert", "-q", "--to", "auto", "--tokenizer", tokenizer, "a.simpy"]) == 0
    assert capsys.readouterr().out == encode(PROGRAM, dialect=name)
    assert main(["check", "--json", "--dialect", "auto", "--tokenizer", tokenizer, "a.py"]) == 0
    assert json.loads(capsys.readouterr().out)["dialects"] == [name]


def test_tokens_choose_for_each_tokenizer(tokenizer: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "--json", "--dialect", "auto", "--tokenizer", tokenizer, "a.py"]) == 0
    assert list(json.loads(capsys.readouterr().out)["tokenizers"][tokenizer]["spellings"]) == ["python", name]


def test_a_corpus_is_converted_to_what_was_chosen(tokenizer: str, name: str) -> None:
    assert main(["corpus", "-q", "--dialect", "auto", "--tokenizer", tokenizer, "--format", "jsonl", "a.py", "-o", "out"]) == 0
    (row,) = map(json.loads, Path("out/shard-00000.jsonl").read_text(encoding="utf-8").splitlines())
    assert (row["dialect"], row["program"]) == (name, encode(PROGRAM, dialect=name))


def test_learned_tokens_remember_what_was_chosen(tokenizer: str, name: str) -> None:
    for number in range(12):  # enough for some to be held out
        Path(f"b{number}.py").write_text(PROGRAM * (number + 1), encoding="utf-8")
    assert main(["learn", "-q", "--dialect", "auto", "--tokenizer", tokenizer, "--corpus", ".", "--budget", "2", "-o", "l.json"]) == 0
    assert LearnedTokens.load("l.json").dialect == name


@pytest.mark.parametrize("arguments", [["encode", "a.py"], ["decode", "a.py"], ["run", "a.py"], ["check", "a.py"], ["tokens", "a.py"]])
def test_without_a_tokenizer_the_message_says_what_to_add(tokenizer: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    command, path = arguments
    assert main([command, "--dialect", "auto", path]) == 2
    assert capsys.readouterr().err == (
        "--dialect auto: error: this is the dialect that suits a vocabulary best, and none is named\n"
        "hint: add --tokenizer NAME: a tokenizer.json, its folder, a tiktoken name or a hub id\n"
    )


def test_a_tokenizer_that_is_not_there_is_an_error(tokenizer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encode", "--dialect", "auto", "--tokenizer", "none.json", "a.py"]) == 2
    assert capsys.readouterr().err == "none.json: error: no such file\n"


def test_without_the_library_the_message_names_the_extra(
    tokenizer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    assert main(["encode", "--dialect", "auto", "--tokenizer", tokenizer, "a.py"]) == 2
    assert f'pip install -e "{Path(__file__).resolve().parent.parent}[tokenizers]"' in capsys.readouterr().err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_offers_auto_where_a_tokenizer_can_be_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    dialect = "DIALECT" in text
    assert ("auto" in text) == (dialect and "--tokenizer" in text)
