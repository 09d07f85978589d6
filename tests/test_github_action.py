"""The GitHub Action: its steps run as the runner would run them, beside an API of GitHub that answers from a list."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy import github_action

yaml = pytest.importorskip("yaml")
pytest.importorskip("tiktoken")

ROOT = Path(__file__).resolve().parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
GOOD, BROKEN = "def add(first, second):\n    return first + second\n", "def add(:\n"


class GitHub(ThreadingHTTPServer):
    """The comments of one pull request; refuses to write if it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments: list[dict[str, Any]] = [{"id": number, "body": None if number % 2 else "first!"} for number in range(150)]
        self.refuses = False
        self.tokens: set[str | None] = set()


class _Handler(BaseHTTPRequestHandler):
    server: GitHub

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.server.tokens.add(self.headers["authorization"])
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> str:
        return str(json.loads(self.rfile.read(int(self.headers["content-length"])))["body"])

    def do_GET(self) -> None:  # noqa: N802  # the name is the library's
        found = re.fullmatch(r"/repos/a/b/issues/7/comments\?per_page=100&page=(\d+)", self.path)
        assert found, self.path
        start = 100 * (int(found[1]) - 1)
        self._answer(200, self.server.comments[start : start + 100])

    def do_POST(self) -> None:  # noqa: N802  # as above
        assert self.path == "/repos/a/b/issues/7/comments"
        body = self._body()
        if self.server.refuses:
            self._answer(403, {"message": "Resource not accessible by integration"})
            return
        self.server.comments.append({"id": len(self.server.comments), "body": body})
        self._answer(201, {})

    def do_PATCH(self) -> None:  # noqa: N802  # as above
        found = re.fullmatch(r"/repos/a/b/issues/comments/(\d+)", self.path)
        assert found, self.path
        self.server.comments[int(found[1])]["body"] = self._body()
        self._answer(200, {})

    def log_message(self, *words: Any) -> None:
        """Print nothing."""


@pytest.fixture
def github() -> Iterator[GitHub]:
    server = GitHub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit, which holds ``src/a.py``."""
    folder = tmp_path / "repository"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text(GOOD)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "Add a"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def expand(text: str, values: dict[str, str]) -> str:
    """An expression of a workflow, filled in."""
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: values[found[1]], text)


class Run:
    """A run of the step that checks, as a job in a pull request has it."""

    def __init__(self, repository: Path, github: GitHub, *, base: str = "", **inputs: str) -> None:
        self.folder = repository.parent
        self.summary, self.output = self.folder / "summary.md", self.folder / "output"
        event = self.folder / "event.json"
        event.write_text(json.dumps({"pull_request": {"number": 7, "base": {"sha": base}}}))
        values = {"runner.temp": str(self.folder), "github.action_path": str(ROOT), "inputs.token": "secret"}
        for name, one in ACTION["inputs"].items():
            values.setdefault(f"inputs.{name}", inputs.get(name, one["default"]))
        step = STEPS["Check and count"]
        environment = {name: expand(value, values) for name, value in step["env"].items()}
        environment["PYTHONPATH"] = str(ROOT)  # where the first step would have put it
        self.done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=repository,
            env={
                **os.environ,
                **environment,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_API_URL": f"http://127.0.0.1:{github.server_port}",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_OUTPUT": str(self.output),
                "RUNNER_TEMP": str(self.folder),
            },
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


def head(repository: Path) -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True).stdout.strip()


def test_a_pull_request_has_one_comment_that_is_written_anew(repository: Path, github: GitHub) -> None:
    first = Run(repository, github, paths="src", tokenizer="", base=head(repository))
    assert first.done.returncode == 0, first.done.stderr
    assert len(github.comments) == 151
    body = github.comments[-1]["body"]
    assert "Nothing is lost: 1 file comes back the same from 7 dialects." in body
    assert re.search(r"^\| `python` \| (\d+) \|  \| \1 \(\+0\) \|$", body, re.MULTILINE), body
    assert re.search(r"^\| `dense`, tokens added \| \d+ \| [\d.]+ % \| \d+ \(\+0\) \|$", body, re.MULTILINE), body
    assert first.summary.read_text() == body
    assert first.output.read_text() == f"report={first.folder / 'simpy-report.md'}\n"
    (repository / "src" / "b.py").write_text(GOOD)
    Run(repository, github, paths="src", tokenizer="", base=head(repository))
    assert len(github.comments) == 151
    before, change = re.search(r"^\| `python` \| \d+ \|  \| (\d+) \(\+(\d+)\) \|$", github.comments[-1]["body"], re.MULTILINE).groups()
    assert before == change, "twice the file, twice the tokens"
    assert github.tokens == {"Bearer secret"}


def test_what_is_not_python_is_said_and_does_not_fail(repository: Path, github: GitHub) -> None:
    (repository / "src" / "b.py").write_text(BROKEN)
    run = Run(repository, github, paths="src", tokenizer="", dialect="dense")
    assert run.done.returncode == 0
    assert "1 file comes back the same from 1 dialect. 1 was skipped, since it is not Python" in github.comments[-1]["body"]


def test_a_missing_path_fails_with_an_annotation(repository: Path, github: GitHub) -> None:
    run = Run(repository, github, paths="src\nnowhere.py", tokenizer="")
    assert run.done.returncode == 2
    assert "::error file=nowhere.py::no such file or directory" in run.done.stdout
    assert "**1 of 2 files were not proved:**\n\n- `nowhere.py`: `no such file or directory`\n" in github.comments[-1]["body"]


def test_wrong_usage_is_said_by_the_command(repository: Path, github: GitHub) -> None:
    run = Run(repository, github, dialect="densee")
    assert run.done.returncode == 2
    assert "densee" in run.done.stderr
    assert len(github.comments) == 150


def test_a_fork_that_may_not_comment_still_has_its_summary(repository: Path, github: GitHub) -> None:
    github.refuses = True
    run = Run(repository, github, paths="src", tokenizer="")
    assert run.done.returncode == 0
    assert "::notice::no comment was written: the token may not comment" in run.done.stdout
    assert "Nothing is lost" in run.summary.read_text()


def test_no_comment_where_none_is_wanted(repository: Path, github: GitHub) -> None:
    run = Run(repository, github, paths="src", tokenizer="", comment="false")
    assert run.done.returncode == 0
    assert len(github.comments) == 150
    assert not github.tokens


@pytest.mark.parametrize("paths", ["$(touch ran)", "`touch ran`", "; touch ran", "--help", '"; touch ran; "'])
def test_an_input_is_a_path_and_never_a_command(paths: str, repository: Path, github: GitHub) -> None:
    run = Run(repository, github, paths=paths, tokenizer="")
    assert run.done.returncode == 2
    assert not (repository / "ran").exists()
    assert "no such file or directory" in run.done.stdout


def test_nothing_of_the_checked_repository_is_imported(repository: Path, github: GitHub) -> None:
    for name in ("json", "tokenize", "ast", "multiprocessing", "simpy_cli", "sitecustomize", "lark", "tiktoken"):
        (repository / f"{name}.py").write_text("open('ran', 'w').close()\n")
    run = Run(repository, github, tokenizer="", base=head(repository))
    assert run.done.returncode == 0, run.done.stderr
    assert "9 files come back the same" in github.comments[-1]["body"]
    assert not (repository / "ran").exists()


@pytest.mark.parametrize("commit", ["", "0" * 40, "--output=ran"])
def test_without_the_base_there_is_no_comparison(commit: str, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    assert github_action.counted_before(["src"], "", commit) == {}
    assert not (repository / "ran").exists()


def test_the_installed_extra_exists() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (extra,) = re.findall(r"\$ACTION\[(\w+)\]", STEPS["Install SimPy"]["run"])
    assert f"\n{extra} = [" in pyproject


def test_text_of_a_repository_cannot_leave_its_code() -> None:
    assert github_action._code("a`b") == "`` a`b ``"
    assert github_action._code("a``b\n# c") == "`` a` `b # c ``"
    assert github_action._code("a.py") == "`a.py`"
