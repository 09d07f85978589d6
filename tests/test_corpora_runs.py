"""Corpora: what comes in, what goes out, and why rows are refused. Kills and engines are in ``test_corpora_resuming``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import transpiler
from simpy_cli.commands import corpus as command
from simpy_cli.main import main
from simpy_corpus import Limits, Options, build
from simpy_corpus.engines import ENGINES
from simpy_corpus.inputs.finding import find_inputs
from simpy_corpus.options import FORMATS
from simpy_corpus.reasons import DROPPABLE
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tests.corpora import ROWS, SOURCES, convert, lines, no_files, pa, rows_of, write_input, zstandard


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# ------------------------------------------------------------------------------------------------------------ inputs


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsonl.zst", "parquet", "folder of parquet", "bytes", "datasets"])
def test_every_input_keeps_its_rows_and_columns(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = convert(write_input(kind), "out")
    found = rows_of("out")
    capsys.readouterr()  # datasets draws a bar
    assert report["rows"] == len(ROWS) and report["converted"] == len(ROWS) - 2
    for row, given in zip(found, ROWS, strict=True):
        assert (row["path"], row["licence"], row["dialect"]) == (given["path"], given.get("licence"), "classic")
        assert row["program"] == (None if row["error"] else transpiler.encode(given["content"], verify=False))
        assert row["stars"] == given.get("stars")
        assert "content" not in row
    assert [row["error"] for row in found if row["error"]] == ["syntax", "no-text"]
    assert found[-3]["message"] == "invalid syntax" and found[-3]["line"] == 1
    if kind.startswith("jsonl"):  # a column of two types is JSON
        assert [row["tags"] for row in found[-3:]] == ['["a"]', None, '"b"']


def test_a_data_set_of_a_hub_is_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    asked: list[Any] = []

    def load_dataset(name: str, config: str | None, *, split: str, streaming: bool) -> Any:
        asked.append((name, config, split, streaming))
        return datasets.Dataset(pa.table({"code": ["x = 1", "x ="], "licence": ["MIT", None]})).to_iterable_dataset()

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    found = find_inputs(["some/data"], files=no_files, split="test", config="python")
    build(found, "out", Options(verify=False))
    assert asked == [("some/data", "python", "test", True)]
    assert [(row["program"], row["licence"], row["error"]) for row in rows_of("out")] == [("x=1", "MIT", None), (None, None, "syntax")]

    def refuse(*args: object, **options: object) -> None:
        raise ConnectionError("no hub\nhere")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(SimPyError, match="no such file or folder, and no data set that the hub gives: no hub$"):
        build(found, "other", Options(verify=False))


def test_folders_are_searched_as_every_command_searches_them(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("src/a.py", "src/b/c.py", "src/venv/no.py", "src/b/skip_pb2.py", "src/notes.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x = 1\n")
    Path("src/b/latin.py").write_bytes("# coding: latin-1\nx = 'é'\n".encode("latin-1"))
    assert main(["corpus", "src", "--exclude", "*_pb2.py", "-o", "out", "--keep-source"]) == 0
    found = rows_of("out")
    assert [row["path"] for row in found] == ["a.py", "b/c.py", "b/latin.py"]
    assert found[2]["program"] == "# coding: latin-1\nx='é'" and found[0]["source"] == b"x = 1\n"
    printed = capsys.readouterr()
    assert printed.out == "3 programs, 3 converted (100.0 %)\n"
    assert printed.err == "3 programs of 3 converted to classic: out\n"


def test_lines_that_are_not_rows_are_counted() -> None:
    Path("in.jsonl").write_bytes(b'{"text": "x = 1"}\n[1]\n\n{"text": \n{"text": "y = 1", "other": "\\ud800"}\n')
    report = convert("in.jsonl", "out")
    assert [row["error"] for row in rows_of("out")] == [None, "not-json", "not-json", None]
    assert report["refused"]["not-json"] == {
        "rows": 2, "share": 0.5, "what": "the line is not a JSON object", "messages": {"the line is not a JSON object": 2}
    }  # fmt: skip


WRONG = {
    "no such path": (["no.jsonl"], "no.jsonl: error: no such file or folder"),
    "no column": (["in.jsonl", "--column", "contents"], "in.jsonl: error: no column 'contents'\nhint: did you mean content?"),
    "not text": (["in.parquet", "--column", "stars"], "the column 'stars' holds neither text nor bytes, but double"),
    "not Parquet": (["bad.parquet"], "bad.parquet: error: cannot be read"),
    "cut short": (["short.jsonl.gz"], "short.jsonl.gz: error: cannot be read to its end"),
    "ours": (["ours.jsonl"], "the input has a column 'error', as the output has"),
    "nothing": (["empty.jsonl"], "the input holds no rows"),
    "both kinds": (["both"], "both: error: holds programs (a.py) and data sets (b.jsonl)"),
    "no evaluation": (["in.jsonl", "--evaluation", "empty.jsonl"], "empty.jsonl: error: no programs of an evaluation"),
    "no tokenizer": (["in.jsonl", "--format", "ids"], "simpy corpus: error: token ids need a tokenizer"),
    "something else": (["in.jsonl", "-o", "both"], "both: error: the folder holds something else"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_done_is_said(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, message = WRONG[case]
    Path("in.jsonl").write_bytes(lines(ROWS[:2]))
    write_input("parquet")
    Path("bad.parquet").write_bytes(b"no")
    Path("short.jsonl.gz").write_bytes(gzip.compress(lines(ROWS))[:-20])
    Path("ours.jsonl").write_bytes(b'{"text": "x", "error": 1}\n')
    Path("empty.jsonl").write_bytes(b"")
    Path("both").mkdir()
    Path("both/a.py").write_text("x")
    Path("both/b.jsonl").write_bytes(lines(ROWS))
    assert main(["corpus", "-o", "out", "--fast", "-q", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["encode", "decode", "check"])
def test_other_commands_point_here(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in.jsonl.zst").write_bytes(b"")
    assert main([command, "in.jsonl.zst"]) == 2
    found = capsys.readouterr().err
    assert "in.jsonl.zst: error: a data set, not a program" in found and "simpy corpus in.jsonl.zst -o" in found


# ----------------------------------------------------------------------------------------------------------- outputs


@pytest.mark.parametrize("name", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_json_lines_hold_what_parquet_holds(name: str) -> None:
    path = write_input("jsonl")
    convert(path, "parquet", drop=("duplicate",))
    convert(path, "out", drop=("duplicate",), format=name)
    unpack = {"jsonl": bytes, "jsonl.gz": gzip.decompress, "jsonl.zst": zstandard.ZstdDecompressor().decompress}[name]
    found = [json.loads(line) for path in sorted(Path("out").glob("shard-*")) for line in unpack(path.read_bytes()).splitlines()]
    assert found == rows_of("parquet")


def test_back_to_python() -> None:
    convert(write_input("jsonl"), "out")
    report = build(
        find_inputs(["out"], files=no_files), "back",
        Options(source=Dialect.load("classic"), dialect=Dialect.load("python"), columns=("path",)),
    )  # fmt: skip
    assert report["refused"]["no-text"]["rows"] == 2
    for row, given in zip(rows_of("back"), ROWS, strict=True):
        if row["program"] is not None:
            assert row["program"] == transpiler.decode(transpiler.encode(given["content"], verify=False))


def test_everything_that_is_asked_for_is_refused_and_named() -> None:
    Path("evaluation.py").write_text(SOURCES[5])
    rows = [*ROWS, {"path": "near.py", "content": SOURCES[4].replace("return", "return  # c", 2) + "\nlast = 1\n"}]
    Path("in.jsonl").write_bytes(lines(rows))
    drop = ("duplicate", "near-duplicate", "generated", "data", "long-lines")
    report = convert("in.jsonl", "out", drop=drop, evaluations=("evaluation.py",), limits=Limits(characters=24_000))
    found = rows_of("out")
    assert len(found) == len(rows)
    by_path = {row["path"]: row for row in found}
    long = [row["path"] for row in rows if row["content"] and len(row["content"]) > 24_000]
    assert long and all(by_path[path]["error"] == "too-long" for path in long)
    assert by_path["a/5.py"]["error"] == "contaminated"
    assert (by_path["copy.py"]["error"], by_path["copy.py"]["message"]) == ("duplicate", "the same program as row 3")
    assert by_path["near.py"]["error"] == "near-duplicate" and by_path["near.py"]["message"].endswith("% of it are in row 4")
    assert by_path["made.py"]["error"] == "generated"
    assert all((row["program"] is None) == (row["error"] is not None) for row in found)
    counted = {reason: one["rows"] for reason, one in report["refused"].items()}
    assert counted == {error: sum(row["error"] == error for row in found) for error in {row["error"] for row in found} - {None}}
    assert report["converted"] == sum(row["error"] is None for row in found)
    assert json.loads(Path("out/_report.json").read_text()) == report
    assert by_path["copy.py"]["fingerprint"] == by_path["a/3.py"]["fingerprint"] is not None


def test_packed_ids_give_back_the_programs(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    import numpy as np

    from simpy_corpus import PackedIds
    from tests.small_tokenizers import byte_bpe
    from tokenizer_ext import Codec, extend

    byte_bpe().save("tokenizer.json")
    report = convert(write_input("jsonl"), "out", format="ids", tokenizer="tokenizer.json", separator="<|endoftext|>", drop=("duplicate",))
    packed = PackedIds("out")
    codec = Codec(extend(byte_bpe()))
    kept = [(i, row["content"]) for i, row in enumerate(ROWS) if row["path"] not in ("copy.py", "wrong.py", "none.py")]
    assert packed.rows.tolist() == [i for i, _ in kept] and len(packed) == len(kept) == report["converted"]
    for ids, (_, content) in zip(packed, kept, strict=True):
        assert ids[-1] == packed.separator and ids.dtype == np.uint16
        assert codec.decode(ids[:-1].tolist()) == transpiler.encode(content, verify=False)
    assert np.array_equal(packed[-1], packed[len(packed) - 1])
    assert sum(len(shard) for shard in packed.shards()) == report["ids"]
    refused = [json.loads(line) for path in sorted(Path("out").glob("*.refused.jsonl")) for line in path.read_text().splitlines()]
    assert [row["error"] for row in refused] == ["duplicate", "syntax", "no-text"]


@pytest.mark.parametrize("dialect", ["python", "compact"])
def test_packed_ids_of_python_need_no_tokens(dialect: str, tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    from simpy_corpus import PackedIds
    from tokenizer_ext.plain_codec import PlainCodec

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    plain = Tokenizer(models.BPE({char: i for i, char in enumerate(alphabet)}, []))  # not one added token
    plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    plain.save("plain.json")
    plain.add_special_tokens(["<|endoftext|>"])
    plain.save("tokenizer.json")
    programs = ["x = '<if>'\n", "y = '<|endoftext|>'  # €\n", "x ="]
    Path("in.jsonl").write_bytes(lines([{"text": program} for program in programs]))
    assert main(["corpus", "in.jsonl", "--dialect", dialect, "--format", "ids", "--tokenizer", "plain.json", "-q", "-o", "plain"]) == 0
    words = ["--format", "ids", "--tokenizer", "tokenizer.json", "--separator", "<|endoftext|>", "-q", "-o", "out"]
    assert main(["corpus", "in.jsonl", "--dialect", dialect, *words]) == 0
    bare, packed, codec = PackedIds("plain"), PackedIds("out"), PlainCodec(plain, dialect=dialect)
    assert packed.dialect == dialect and bare.separator is None and packed.separator == 256
    assert packed.rows.tolist() == [0, 1]
    for program, ids, alone in zip(programs, packed, bare, strict=False):
        assert codec.decode(ids.tolist()) == transpiler.encode(program, dialect=dialect) + "<|endoftext|>"
        assert ids.tolist() == [*alone.tolist(), 256] and 256 not in alone


def test_no_separator_of_that_name(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tokenizers")
    from tests.small_tokenizers import byte_bpe

    byte_bpe().save("tokenizer.json")
    Path("in.jsonl").write_bytes(lines(ROWS[:1]))
    words = ["--format", "ids", "--tokenizer", "tokenizer.json", "--separator", "</s>", "-o", "out"]
    assert main(["corpus", "in.jsonl", "--dialect", "python", *words]) == 2
    assert "has no token '</s>' of its own\nhint: name one of <|endoftext|>" in capsys.readouterr().err


def test_the_command_offers_what_there_is() -> None:
    assert command._FORMATS == FORMATS
    assert command._DROPPABLE == DROPPABLE
    assert sorted(command._ENGINES) == sorted(ENGINES)
