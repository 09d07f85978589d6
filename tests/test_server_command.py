"""`simpy serve` as a process: what it says, how it counts, how it ends, and what its log holds."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simpy_cli.main import main
from tests.scripted_upstream import LONG, Upstream, chat_answer, chat_events, stream, upstream_server, wait_for

ROOT = Path(__file__).resolve().parent.parent
QUESTION = json.dumps({"model": "m", "messages": [{"role": "user", "content": "my secret:\n```python\nx = ( 1 )\n```\n"}]}).encode()
KEY = "Bearer key-of-the-client"


@contextmanager
def command(url: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its URL."""
    words = [sys.executable, "-m", "simpy_cli", "serve", "--upstream", url, "--port", "0", *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.match(r"serving (http://127\.0\.0\.1:\d+/v1) -> ", first)
        assert found, first
        yield process, found[1]
    finally:
        process.kill()
        process.communicate(timeout=LONG)


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (app, url):
        yield app, url


def get(url: str, body: bytes | None = None) -> str:
    request = urllib.request.Request(url, data=body, headers={"Authorization": KEY} if body else {})
    with urllib.request.urlopen(request, timeout=LONG) as response:
        text: str = response.read().decode()
        return text


def stop(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> str:
    process.send_signal(number)
    log = process.communicate(timeout=LONG)[1]
    assert process.returncode == 0, log
    return log


def test_health_metrics_and_a_log_without_secrets(upstream: tuple[Upstream, str]) -> None:
    app, url = upstream
    app.reply = chat_answer("the answer:\n```python\n<return>a<l>b\n```\n")
    with command(url, "--dialect", "classic") as (process, base):
        root = base.removesuffix("/v1")
        assert json.loads(get(f"{root}/health")) == {"status": "ok"}
        assert "return a < b" in get(f"{base}/chat/completions", QUESTION)
        page = get(f"{root}/metrics")
        assert re.search(r'simpy_requests_total\{model="[^"]*",path="/chat/completions",status="200"\} 1.0', page)
        assert re.search(r'simpy_characters_total\{direction="in",form="python",model="[^"]*"\} \d+', page)
        assert "simpy_conversion_seconds_sum" in page
        log = stop(process)
    assert "POST /v1/chat/completions 200" in log
    assert "secret" not in log and "answer" not in log and "key-of" not in log


def test_tokens_are_counted_with_a_tokenizer(upstream: tuple[Upstream, str], tmp_path: Path) -> None:
    """One token a byte, and grammar tokens as one each."""
    tokenizers = pytest.importorskip("tokenizers", reason="the extra `tokenizers` is not installed")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    app, url = upstream
    app.reply = chat_answer("```python\n<return>a<l>b\n```\n")
    with command(url, "--dialect", "classic", "--tokenizer", str(tmp_path / "tokenizer.json")) as (process, base):
        get(f"{base}/chat/completions", QUESTION)
        page = get(base.removesuffix("/v1") + "/metrics")
        stop(process)
    counts = dict(re.findall(r'simpy_tokens_total\{direction="out",form="(\w+)",model="[^"]*"\} ([\d.]+)', page))
    assert float(counts["sent"]) < float(counts["python"])


def test_prompts_are_logged_where_asked_for(upstream: tuple[Upstream, str]) -> None:
    app, url = upstream
    app.reply = chat_answer("the answer")
    with command(url, "--log-prompts") as (process, base):
        get(f"{base}/chat/completions", QUESTION)
        log = stop(process, signal.SIGINT)
    assert "secret" in log and "the answer" in log and "key-of" not in log
    assert "Traceback" not in log


def test_running_answers_are_finished_before_the_end(upstream: tuple[Upstream, str]) -> None:
    app, url = upstream
    app.seen.clear()
    data = chat_events("one ", "two ", "three")
    app.reply = stream(data[:250], 1.0, data[250:])
    with command(url) as (process, base):
        request = urllib.request.Request(f"{base}/chat/completions", data=QUESTION)
        with urllib.request.urlopen(request, timeout=LONG) as response:
            process.send_signal(signal.SIGTERM)
            got = response.read()
        assert got == data
        assert process.wait(LONG) == 0


def test_answers_without_end_are_cut_off_at_the_end(upstream: tuple[Upstream, str]) -> None:
    app, url = upstream
    app.left.clear()
    app.reply = stream(b": hello\n\n", "stall")
    with command(url, "--grace", "1") as (process, base):
        host, port = base.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(QUESTION), QUESTION))
            assert connection.recv(10)
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=LONG)[1]
            assert process.returncode == 0, log
    wait_for(app.left.is_set)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--upstream", "nowhere"], "'nowhere' is not the URL of a server"),
        (["--upstream", "ftp://a/v1"], "'ftp://a/v1' is not the URL of a server"),
        (["--upstream", "http://a:b/"], "'http://a:b/' is not the URL of a server"),
        (["--upstream", "http://a", "--dialect", "nothing"], "nothing"),
        (["--upstream", "http://a", "--port", "70000"], "cannot listen on 127.0.0.1:70000"),
        (["--upstream", "http://a", "--tokenizer", "missing/tokenizer.json"], "no such file"),
        (["--upstream", "http://a", "--concurrency", "0"], "'0' is not a whole number from 1"),
        ([], "--upstream"),
    ],
)
def test_bad_options_are_errors(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *words]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--upstream", "http://a", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen on 127.0.0.1" in capsys.readouterr().err
