"""What whoever runs the proxy sees: ids of requests, reasons in the log, whether the upstream answers; and settings that change."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dualcode.server.logs import request_id
from dualcode.server.readiness import Readiness
from dualcode.server.settings import Settings
from tests.api_answers import ASKED, CHAT, MESSAGES, whole
from tests.scripted_upstream import DIE, LONG, Reply, Upstream, chat_events, proxy_server, raw_server, stream, upstream_server, wait_for

ROOT = Path(__file__).resolve().parent.parent
BROKEN = {"model": "m", "messages": [{"role": "user", "content": "secret\n```python\nx = ( secret\n```\n"}]}


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Upstream, str, str]]:
    """The upstream, its URL, and that of a proxy."""
    with upstream_server() as (app, url), proxy_server(url, dialect="classic", timeout=0.3) as proxy:
        yield app, url, proxy


@pytest.fixture
def upstream(servers: tuple[Upstream, str, str]) -> Upstream:
    app = servers[0]
    app.seen.clear()
    app.reply = Reply([whole(CHAT, "hello")])
    return app


@pytest.fixture
def proxy(servers: tuple[Upstream, str, str]) -> str:
    return servers[2]


class Lines(logging.Handler):
    """The lines of the log, by the ids of their requests."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[str, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._found.append((request_id.get(), {"message": record.getMessage(), **record.__dict__["fields"]}))

    def of(self, answer: httpx.Response) -> list[dict[str, Any]]:
        """Those of one request; the log may be a moment behind the answer."""
        asked = answer.headers.get("x-simpy-request-id") or answer.headers["x-request-id"]
        wait_for(lambda: asked in [one for one, _ in self._found])
        return [line for one, line in self._found if one == asked]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Lines]:
    caplog.set_level(logging.INFO, logger="simpy.serve")
    handler = Lines()
    logging.getLogger("simpy.serve").addHandler(handler)
    yield handler
    logging.getLogger("simpy.serve").removeHandler(handler)


def ask(proxy: str, path: str = CHAT, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    return httpx.post(f"{proxy}{path}", json=body or ASKED[path], headers=headers, timeout=LONG, verify=False)


# ------------------------------------------------------------------------------------------------------- ids of requests


def test_the_clients_id_goes_through_and_comes_back(upstream: Upstream, proxy: str) -> None:
    answer = ask(proxy, **{"x-request-id": "my-id.7"})
    assert answer.headers["x-request-id"] == "my-id.7"
    assert upstream.seen[0].headers["x-request-id"] == "my-id.7"


@pytest.mark.parametrize("given", [None, "two words", "a" * 129, ""])
def test_an_id_is_made_where_there_is_none_that_fits(upstream: Upstream, proxy: str, given: str | None) -> None:
    answer = ask(proxy, **({} if given is None else {"x-request-id": given}))
    made = answer.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made) and upstream.seen[0].headers["x-request-id"] == made
    assert ask(proxy).headers["x-request-id"] != made


@pytest.mark.parametrize(("name", "path", "ours"), [("x-request-id", CHAT, "x-simpy-request-id"), ("request-id", MESSAGES, "x-request-id")])
def test_the_upstreams_id_stays_and_both_are_logged(upstream: Upstream, proxy: str, lines: Lines, name: str, path: str, ours: str) -> None:
    upstream.reply = Reply([whole(path, "hello")], headers={"content-type": "application/json", name: "theirs"})
    answer = ask(proxy, path, **{"x-request-id": "mine"})
    assert (answer.headers[name], answer.headers[ours]) == ("theirs", "mine")
    assert lines.of(answer)[0]["upstream_request_id"] == "theirs"


def test_refusals_have_ids_too(proxy: str) -> None:
    answer = ask(proxy, **{"x-simpy-convert": "what", "x-request-id": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (400, "mine")


# ------------------------------------------------------------------------------------------------------- the log


@pytest.mark.parametrize(
    ("reply", "status", "reason"),
    [
        (Reply([b"{}"], status=429), 429, "the upstream answered 429"),
        (stream(b": hello\n\n", "stall"), 200, "the upstream did not answer in time (ReadTimeout)"),
        (Reply(["stall"]), 504, "the upstream did not answer in time (ReadTimeout)"),
        (stream(chat_events("a", finish=False, done=False), DIE), 200, "broke off or sent what is not HTTP (RemoteProtocolError)"),
        (Reply([b'{"a":', DIE]), 502, "broke off or sent what is not HTTP (RemoteProtocolError)"),
    ],
)
def test_the_reason_of_a_failure_is_logged(upstream: Upstream, proxy: str, lines: Lines, reply: Reply, status: int, reason: str) -> None:
    upstream.reply = reply
    answer = ask(proxy)
    assert answer.status_code == status
    (line,) = lines.of(answer)
    assert reason in line["failure"] and line["failure"] in line["message"] and line["status"] == status


def test_refusals_are_logged(proxy: str, lines: Lines) -> None:
    answer = ask(proxy, **{"x-simpy-convert": "what"})
    assert lines.of(answer)[0]["failure"] == "the header x-simpy-convert knows the word tool only"


def test_an_upstream_that_is_not_there(lines: Lines) -> None:
    with proxy_server("http://127.0.0.1:9/v1") as proxy:
        answer = ask(proxy)
        assert answer.status_code == 502
        ready = httpx.get(proxy.removesuffix("/v1") + "/ready", timeout=LONG, verify=False)
    assert "the upstream cannot be reached (ConnectError" in lines.of(answer)[0]["failure"]
    assert ready.status_code == 503 and "the upstream cannot be reached" in ready.json()["reason"]


def test_a_client_that_leaves(upstream: Upstream, proxy: str, lines: Lines) -> None:
    upstream.reply = stream(b": hello\n\n", 0.2, b": hello\n\n", 0.2, b": hello\n\n", 0.2)
    with httpx.stream("POST", f"{proxy}{CHAT}", json=ASKED[CHAT], timeout=LONG, verify=False) as answer:
        assert answer.status_code == 200
    assert lines.of(answer)[0]["failure"] == "the client went away"


def test_why_a_part_was_not_converted_is_logged_and_no_prompt_is(upstream: Upstream, proxy: str, lines: Lines) -> None:
    answer = ask(proxy, body=BROKEN)
    assert answer.status_code == 200
    (line,) = lines.of(answer)
    assert line["unconverted"] == ["message 1, line 3: not converted: '(' was never closed"]
    assert "'(' was never closed" in line["message"] and "failure" not in line
    assert "secret" not in str(line)


# ------------------------------------------------------------------------------------------------------- is it ready?


def test_ready_while_the_upstream_answers(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([b"{}"], status=401)  # it wants a key, so it is there
    root = proxy.removesuffix("/v1")
    for _ in range(3):
        answer = httpx.get(f"{root}/ready", timeout=LONG, verify=False)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert [seen.target for seen in upstream.seen] == ["/v1/models"]  # once for all three


def test_not_ready_while_the_upstream_fails(upstream: Upstream, servers: tuple[Upstream, str, str]) -> None:
    upstream.reply = Reply([b"{}"], status=503)
    with proxy_server(servers[1]) as proxy:
        answer = httpx.get(proxy.removesuffix("/v1") + "/ready", timeout=LONG, verify=False)
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "reason": "the upstream answers 503"})


def test_not_ready_where_the_upstream_is_no_server_of_http() -> None:
    with raw_server(b"nonsense\r\n\r\n") as nonsense, proxy_server(nonsense) as proxy:
        assert httpx.get(proxy.removesuffix("/v1") + "/ready", timeout=LONG, verify=False).status_code == 503
        assert httpx.get(proxy.removesuffix("/v1") + "/health", timeout=LONG, verify=False).status_code == 200


def test_an_answer_grows_old() -> None:
    answers = iter(["no", "", "no"])

    async def ask_upstream() -> str:
        return next(answers)

    async def three() -> list[bool]:
        readiness = Readiness(ask_upstream, fresh=0)
        return [(await readiness.get()).ready for _ in range(3)]

    assert asyncio.run(three()) == [False, True, False]


# ------------------------------------------------------------------------------------------------------- the process


class Process:
    """`simpy serve` with a file of options, its URL, and the lines of its log."""

    def __init__(self, file: Path) -> None:
        words = [sys.executable, "-m", "simpy_cli", "serve", "--config", str(file), "--log-format", "json"]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SIMPY_SERVE_PORT": "0",
            "SIMPY_SERVE_UPSTREAM_KEY": "theirs",
            "SIMPY_SERVE_WORKERS": "0",
        }
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert self.process.stderr is not None
        first = self.process.stderr.readline()
        found = re.match(r"serving (http://127\.0\.0\.1:\d+/v1) -> ", first)
        assert found, first + self.process.communicate()[1]
        self.url = found[1]
        self.lines: list[dict[str, Any]] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(json.loads(line))

    def says(self, text: str) -> bool:
        return any(text in line["message"] for line in self.lines)

    def read_again(self, expected: str) -> None:
        self.lines.clear()
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.says(expected))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LONG) == 0
        self._reading.join(LONG)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_the_file_is_read_again(servers: tuple[Upstream, str, str], upstream: Upstream, tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    url = servers[1]
    file.write_text(f'upstream = "{url}"\napi-key = "old"\ndialect = "classic"\n')
    server = Process(file)
    try:
        data = chat_events("one ", "two ", "three")
        upstream.reply = stream(data[:250], 1.0, data[250:])
        with httpx.stream(
            "POST", f"{server.url}{CHAT}", json=ASKED[CHAT], headers={"x-api-key": "old"}, timeout=LONG, verify=False
        ) as answer:
            pieces = answer.iter_raw()
            got = next(pieces)
            file.write_text(f'upstream = "{url}"\napi-key = ["new", "newer"]\ndialect = "dense"\nport = 7\n')
            server.read_again("the settings were read again")
            assert not server.says("--port does not change")  # the environment says which port, and wins over the file
            got += b"".join(pieces)
        assert got == data  # what had begun went on
        assert [ask(server.url, **{"x-api-key": key}).status_code for key in ("old", "new", "newer")] == [401, 200, 200]
        upstream.reply = Reply([whole(CHAT, "```python\na<arrow>b\n```")])
        file.write_text("api-keys = 'x'\n")
        server.read_again("the settings stay as they are")
        assert server.says("did you mean api-key?")
        assert ask(server.url, **{"x-api-key": "new", "x-request-id": "the-last"}).status_code == 200
        wait_for(lambda: any(line.get("request_id") == "the-last" for line in server.lines))
        file.write_text(f'upstream = "{url}"\nmemory = 3\n')
        server.read_again("--memory does not change before the next start")
        wait_for(lambda: server.says("the settings were read again"))
        assert ask(server.url).status_code == 200  # no key is asked for any more
    finally:
        server.stop()
    last = next(line for line in server.lines if line.get("path") == f"/v1{CHAT}")
    assert last["level"] == "INFO" and last["status"] == 200 and re.fullmatch(r"[\d-]+T[\d:.]+\+00:00", last["time"])
    said = json.dumps(server.lines)
    assert not [key for key in ("old", "newer", "theirs") if f'"{key}"' in said or f" {key}" in said]


def test_settings_do_not_show_keys() -> None:
    assert "secret" not in repr(Settings("http://a", api_keys=("secret",), upstream_key="secret"))
