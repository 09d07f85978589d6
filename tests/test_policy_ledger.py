"""The ledger: what it holds, that several threads and processes may write to it, and that it does not grow without end."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.policies.ledger import Ledger
from dualcode.policies.ledger_file import LedgerFile
from dualcode.policies.protocol import Answer, Policy, Question, Refuse
from dualcode.policies.registry import open_policy
from simpy_cli.main import main
from simpy_grammar.errors import SimPyError

ROOT = Path(__file__).resolve().parent.parent


class Saying:
    """A model that always says the same."""

    tasks = frozenset(("complete", "infill", "chat"))

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, request: Request) -> Generator[str, None, None]:
        request.spent.tokens = 2
        yield self.text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int:
        return len(text)


class Never(Policy):
    name = "never"

    def before(self, question: Question) -> Refuse:
        return Refuse("it is late")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_record_holds_question_and_answer(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    model = DualCode(Saying("5<line_sep>"), dialect="classic", policies=[f"ledger:file={path}"])
    result = model.complete("ä = ", until="statement", max_tokens=9)
    [found] = lines(path)
    assert result.policies == (f"ledger: id {found['id']}",)
    wanted: dict[str, object] = {
        "task": "complete",
        "prefix": "ä = ",
        "suffix": "",
        "until": "statement",
        "dialect": "classic",
        "python": result.text,
    }
    wanted |= {"text": "5<line_sep>", "stopped": "until", "tokens": 2, "logprob": None, "model": "", "by": "", "kept": None}
    assert {name: found[name] for name in wanted} == wanted
    assert set(found) == {*wanted, "id", "time", "seconds"}


def test_a_chat_keeps_its_messages_as_the_api_has_them(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "requests.jsonl"))
    messages = [{"role": "user", "content": [{"type": "text", "text": "hello \ud800"}], "cache_control": None}]
    question = Question("chat", messages=messages, options={"model": "x"}, tenant="secret", path="/messages")
    ledger.before(question)
    ledger.after(question, Answer("hi", "hi", logprob=float("-inf")))
    [found] = ledger.records()
    assert found["messages"] == messages and found["logprob"] is None and "prefix" not in found
    assert "secret" not in (tmp_path / "requests.jsonl").read_text()


def test_what_another_policy_refused_is_noted_as_such(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    DualCode(Saying("5\n"), policies=[f"ledger:file={path}", Never()]).complete("a = ")
    [found] = lines(path)
    assert (found["by"], found["stopped"], found["python"]) == ("never", "refused", "")


@pytest.mark.skipif(os.name == "nt", reason="modes of files are not those of POSIX")
def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    old = os.umask(0)
    try:
        LedgerFile(path).append({"id": "a", "task": "complete"})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="there the rights of the folder hold")
def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.touch()
    path.chmod(0o644)
    LedgerFile(path).append({"id": "a", "task": "complete"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_told_later_what_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "requests.jsonl"
    file = LedgerFile(path)
    for name in "abc":
        file.append({"id": name, "task": "complete", "kept": None})
    assert main(["policy", "kept", str(path), "a", "yes"]) == 0
    assert main(["policy", "kept", str(path), "b", "yes"]) == 0
    assert main(["policy", "kept", str(path), "b", "no"]) == 0
    assert [record["kept"] for record in file.records()] == [True, False, None]
    assert main(["policy", "kept", str(path), "d", "yes"]) == 2
    assert "no answer with the id 'd'" in capsys.readouterr().err
    assert main(["policy", "kept", str(path), "a", "perhaps"]) == 2


def test_lines_that_are_no_records_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(
        b'{"id": "a", "task": "x"}\n{"id": "b", "ta\n\xff\n[1]\n{"id": 5}\n' + b"[" * 100_000 + b'\n{"id": "c", "task": "x"}\n'
    )
    assert [record["id"] for record in LedgerFile(path).records()] == ["a", "c"]
    with pytest.raises(SimPyError, match="no such ledger"):
        list(LedgerFile(tmp_path / "other.jsonl").records())


def test_it_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    file = LedgerFile(path, limit=1000)
    for number in range(100):
        file.append({"id": str(number), "task": "x" * 30})
    assert sorted(child.name for child in tmp_path.iterdir()) == ["requests.jsonl", "requests.jsonl.1"]
    assert all(child.stat().st_size <= 1000 for child in tmp_path.iterdir())
    found = [int(record["id"]) for record in file.records()]
    assert found == list(range(found[0], 100)) and len(found) > 15
    with pytest.raises(SimPyError, match="larger than the ledger may be"):
        file.append({"id": "x", "task": "x" * 2000})


def test_threads_and_processes_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    code = (
        "import sys; from dualcode.policies.ledger_file import LedgerFile; file = LedgerFile(sys.argv[1], 200_000)\n"
        "for number in range(60): file.append({'id': sys.argv[2] + str(number), 'task': 'x' * 3000})"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    others = [subprocess.Popen([sys.executable, "-c", code, str(path), name], env=environment) for name in "ab"]
    file = LedgerFile(path, 200_000)

    def write(name: str) -> None:
        for number in range(20):
            file.append({"id": f"{name}{number}", "task": "x" * 3000})

    threads = [threading.Thread(target=write, args=(name,)) for name in "cd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    texts = [record["id"] for part in (tmp_path / "requests.jsonl.1", path) for record in lines(part)]
    assert len(texts) == len(set(texts)) and len(texts) >= 65  # nothing is written twice, and the newest 200,000 bytes are there
    assert all(child.stat().st_size <= 200_000 for child in tmp_path.iterdir())


def test_a_ledger_that_cannot_be_written_costs_nobody_the_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = DualCode(Saying("5\n"), policies=[f"ledger:file={tmp_path / 'missing' / 'requests.jsonl'}"])
    assert [model.complete("a = ").text for _ in range(2)] == ["5\n", "5\n"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_question_that_json_cannot_hold_costs_nobody_the_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "requests.jsonl"
    ledger = Ledger(str(file))
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    cycle: dict[str, object] = {}
    cycle["itself"] = cycle
    for content in (deep, cycle, {(1, 2): "a key that is not text"}):
        ledger.after(Question("chat", messages=[{"role": "user", "content": content}]), Answer("1", "1"))
    assert [record.levelname for record in caplog.records] == ["WARNING"] and not file.exists()


def test_questions_that_are_never_answered_are_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "requests.jsonl"))
    for _ in range(100):
        ledger.before(Question("complete", "x = "))
    assert len(ledger._ids) <= 1


def test_its_options() -> None:
    assert isinstance(open_policy("ledger:file=a.jsonl,size=2"), Ledger)
    with pytest.raises(SimPyError, match="size"):
        open_policy("ledger:size=0")
