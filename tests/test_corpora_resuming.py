"""Runs over corpora: neither kills nor engines nor the number of workers change a byte, and no run touches what is not its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simpy_cli.main import main
from simpy_corpus import Options, build
from simpy_corpus.inputs.finding import find_inputs
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tests.corpora import ROOT, convert, lines, no_files, tree, write_input


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


DROP = ("duplicate", "near-duplicate")
# Kills itself at the n-th file that is written, before or after it is in its place.
KILLED = """
import os, signal, sys
from simpy_cli.main import main
from simpy_grammar import whole_files
real, left, after = os.replace, [int(sys.argv[1])], sys.argv[2] == "after"
def replace(source, target):
    left[0] -= 1
    if after: real(source, target)
    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)
    if not after: real(source, target)
whole_files.os.replace = replace
sys.exit(main(sys.argv[3:]))
"""
WORDS = ["corpus", "in.jsonl", "-o", "out", "-q", "--fast", "--shard-size", "0.1", "--drop", "duplicate"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes cannot be killed in this way here")
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_file_it_goes_on_and_gives_the_same_bytes(when: str) -> None:
    write_input("jsonl")
    assert main(WORDS) == 0
    alone = tree("out")
    shutil.rmtree("out")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = 0
    # Each run goes on where the last was killed. Files of the whole are written again by each, so the runs get longer.
    while True:
        words = [sys.executable, "-c", KILLED, str(1 + killed + (when == "before")), when, *WORDS]
        process = subprocess.run(words, env=environment, check=False)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        killed += 1
    assert killed >= 3
    assert tree("out") == alone


def test_what_is_done_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from simpy_corpus import running, staging

    path = write_input("jsonl")
    staged: list[int] = []
    real = staging.stage

    def stage(task: staging.Task, unit: Any) -> int:
        if len(staged) == 2:
            raise KeyboardInterrupt
        staged.append(unit.number)
        return real(task, unit)

    monkeypatch.setattr(staging, "stage", stage)
    with pytest.raises(KeyboardInterrupt):
        convert(path, "out")
    monkeypatch.setattr(staging, "stage", lambda task, unit: staged.append(unit.number) or real(task, unit))
    convert(path, "out")
    assert staged == sorted(set(staged)) and len(staged) > 2
    monkeypatch.setattr(running, "open_engine", None)  # nothing is left to do
    convert(path, "out")


def test_another_run_does_not_write_to_the_same_folder(capsys: pytest.CaptureFixture[str]) -> None:
    path = write_input("jsonl")
    convert(path, "out")
    before = tree("out")
    with pytest.raises(SimPyError, match="another setting of: dialect, dialect_digest"):
        convert(path, "out", dialect=Dialect.load("dense"))
    assert tree("out") == before
    build(find_inputs([path], files=no_files), "out", Options(verify=False, shard_rows=5), restart=True)
    assert len(tree("out")) != len(before)
    with pytest.raises(SimPyError, match="not a tokenizer file"):
        Path("tokenizer.json").write_text("{}")
        convert(path, "third", format="ids", tokenizer="tokenizer.json")
    convert(path, "third")  # that run had not done anything yet
    from simpy_corpus.manifest import alone

    with alone("other"), pytest.raises(SimPyError, match="another run writes to this folder"):
        convert(path, "other")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray", "ignore::FutureWarning:ray")
@pytest.mark.parametrize(("engine", "workers"), [("processes", 2), ("datasets", 1), ("ray", 2)])
def test_no_byte_depends_on_the_engine_or_the_number_of_workers(engine: str, workers: int) -> None:
    if engine != "processes":
        pytest.importorskip(engine, reason=f"the engine {engine} is not installed")
    path = write_input("jsonl")
    options = Options(verify=False, shard_bytes=60_000, drop=DROP)
    build(find_inputs([path], files=no_files), "one", options)
    build(find_inputs([path], files=no_files), "other", options, engine=engine, workers=workers)
    assert len(tree("one")) > 4
    assert tree("other") == tree("one")


def test_a_corpus_runs_nothing() -> None:
    Path("in.jsonl").write_bytes(lines([{"text": "open('ran', 'w').close()\n"}, {"text": "import os; os.mkdir('ran')"}]))
    convert("in.jsonl", "out", verify=True, drop=("duplicate", "near-duplicate", "generated", "data"))
    assert not Path("ran").exists()
