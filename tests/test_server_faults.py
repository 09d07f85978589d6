"""`simpy serve` when things go wrong on either side: what the client gets, and that nothing hangs or stays behind."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.scripted_upstream import (
    DIE,
    LONG,
    STALL,
    Reply,
    Upstream,
    chat_answer,
    chat_events,
    proxy_server,
    raw_server,
    stream,
    upstream_server,
    wait_for,
)

CHAT = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}).encode()
SIMPY_BLOCK = "```python\n<def_stmt>f a<block_start><return>a<block_end>\n```\n"
PYTHON_BLOCK = "```python\ndef f(a):\n    return a\n```\n"


PROXY = {"timeout": 0.5, "max_body": 100_000, "max_answer": 200_000}  # settings of the proxy


def held(proxy: str) -> tuple[int, int]:
    """The tasks and open files of this process, when no request is running."""
    wait_for(lambda: metric(proxy, "simpy_running_requests") == 0)
    gc.collect()
    files = Path("/proc/self/fd")
    tasks = sum(isinstance(thing, asyncio.Task) and not thing.done() for thing in gc.get_objects())
    return tasks, len(list(files.iterdir())) if files.exists() else 0


def ask(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}], **options)


def post(proxy: str, body: bytes = CHAT, path: str = "/chat/completions") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body, whatever the status."""
    request = urllib.request.Request(proxy + path, data=body)
    try:
        with urllib.request.urlopen(request, timeout=LONG) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def metric(proxy: str, name: str) -> float:
    with urllib.request.urlopen(proxy.removesuffix("/v1") + "/metrics", timeout=LONG) as response:
        lines = response.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name) and not line.startswith("#"))


# ------------------------------------------------------------------------------------------------ errors of the upstream


@pytest.mark.parametrize(
    ("status", "error"), [(400, openai.BadRequestError), (401, openai.AuthenticationError), (500, openai.InternalServerError)]
)
def test_errors_go_through(upstream: Upstream, client: openai.OpenAI, status: int, error: type[openai.APIStatusError]) -> None:
    body = b'{"error": {"message": "no  such\\u0020thing", "type": "t", "code": "c"}}'
    upstream.reply = Reply([body], status=status)
    for streaming in (False, True):
        with pytest.raises(error) as raised:
            ask(client, stream=streaming)
        assert raised.value.response.content == body


def test_rate_limits_go_through_with_their_headers(upstream: Upstream, client: openai.OpenAI) -> None:
    headers = {"content-type": "application/json", "retry-after": "17", "x-ratelimit-remaining-requests": "0"}
    upstream.reply = Reply([b'{"error": {"message": "slow down"}}'], status=429, headers=headers)
    with pytest.raises(openai.RateLimitError) as raised:
        ask(client)
    assert raised.value.response.headers["retry-after"] == "17"
    assert raised.value.response.headers["x-ratelimit-remaining-requests"] == "0"


def test_an_answer_of_another_kind_goes_through(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([b"<html>\xff"], headers={"content-type": "text/html"})
    assert post(proxy)[2] == b"<html>\xff"
    upstream.reply = Reply([b'{"choices": [{'])  # broken JSON
    status, headers, body = post(proxy)
    assert (status, body, headers["x-simpy-notes"]) == (200, b'{"choices": [{', "1")
    upstream.reply = Reply([json.dumps({"choices": [7, {"message": 8}, {"index": "x", "message": {"content": [1, {}]}}]}).encode()])
    assert post(proxy)[2] == upstream.reply.steps[0]


def test_an_upstream_that_is_silent(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = Reply([STALL])
    with pytest.raises(openai.APIStatusError) as raised:
        ask(client)
    assert raised.value.status_code == 504
    assert upstream.left.wait(LONG)


def test_an_upstream_that_falls_silent_in_a_stream(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(chat_events("Well:\n", "```python\n<def_stmt>f a<block_start><ret", finish=False, done=False), STALL)
    assert partial_text(client, "did not answer in time") == "Well:\n```python\ndef f(a):\n<ret"
    assert upstream.left.wait(LONG)


def test_an_upstream_that_dies_in_a_stream(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(chat_events("Well:\n", SIMPY_BLOCK, "so", finish=False, done=False), b'data: {"choi', DIE)
    assert partial_text(client, "broke off") == f"Well:\n{PYTHON_BLOCK}so"


def test_an_upstream_that_reports_an_error_in_a_stream(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(chat_events("Well:\n``", finish=False, done=False), b'data: {"error": {"message": "overloaded"}}\n\n')
    assert partial_text(client, "overloaded") == "Well:\n``"


def partial_text(client: openai.OpenAI, message: str) -> str:
    text = ""
    with pytest.raises(openai.APIError, match=message):
        for chunk in ask(client, stream=True):
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return text


def test_a_stream_that_ends_without_saying_so(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(chat_events("Well:\n``", finish=False, done=False))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in ask(client, stream=True)) == "Well:\n``"


def test_an_upstream_that_dies_before_and_in_an_answer(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([b'{"choices": [', DIE])
    status, _, body = post(proxy)
    assert status == 502 and json.loads(body)["error"]["code"] == "upstream_error"
    upstream.reply = Reply([b"some", DIE], headers={"content-type": "text/plain", "content-length": "9"})
    with pytest.raises((OSError, http_incomplete())):
        post(proxy)


def http_incomplete() -> type[Exception]:
    from http.client import IncompleteRead

    return IncompleteRead


@pytest.mark.parametrize("garbage", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_an_upstream_that_speaks_no_http(garbage: bytes) -> None:
    with raw_server(garbage) as url, proxy_server(url) as proxy:
        try:
            status, _, body = post(proxy)
        except (OSError, http_incomplete()):
            return  # its status line was good: the connection closes, as that of a bare relay would
        assert status == 502 and b"error" in body


def test_no_upstream_at_all() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with proxy_server(f"http://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            status, _, body = post(proxy)
            assert status == 502 and json.loads(body)["error"]["code"] == "upstream_unreachable"
            assert post(proxy, path="/embeddings")[0] == 502


def test_garbage_in_a_stream_goes_through(upstream: Upstream, proxy: str) -> None:
    garbage = b'data: {"choices"\n\ndata: 7\n\n\xff\xfe\n\ndata: [1]\r\n\r\ndata:\n\n\n\n'
    upstream.reply = stream(garbage, b"data: [DONE]\n\n", b"no end")
    assert post(proxy)[2] == garbage + b"data: [DONE]\n\nno end"


def test_an_event_without_end_goes_through(upstream: Upstream, proxy: str) -> None:
    endless = b"data: " + b"x" * 300_000
    upstream.reply = stream(endless, b"y", chat_events(SIMPY_BLOCK))
    assert post(proxy)[2] == endless + b"y" + chat_events(SIMPY_BLOCK)


def test_a_very_large_answer_goes_through(upstream: Upstream, proxy: str) -> None:
    large = json.dumps({"choices": [{"message": {"content": SIMPY_BLOCK}}], "more": "x" * 300_000}).encode()
    upstream.reply = Reply([large[:250_000], large[250_000:]])
    status, headers, body = post(proxy)
    assert (status, body, headers["x-simpy-notes"]) == (200, large, "1")


def test_a_compressed_answer_is_converted(upstream: Upstream, proxy: str) -> None:
    import gzip

    upstream.reply = stream(gzip.compress(chat_events(SIMPY_BLOCK)))
    upstream.reply.headers["content-encoding"] = "gzip"
    status, headers, body = post(proxy)
    assert "content-encoding" not in headers and b"def f(a)" in body
    upstream.reply = stream(b"\x1f\x8b no gzip")
    upstream.reply.headers["content-encoding"] = "gzip"
    assert b"upstream_error" in post(proxy)[2]
    upstream.reply = stream(b"who knows")
    upstream.reply.headers["content-encoding"] = "zstd"
    status, headers, body = post(proxy)
    assert (headers["content-encoding"], body) == ("zstd", b"who knows")


# -------------------------------------------------------------------------------------------------- what is not converted


def test_broken_code_passes_and_the_answer_says_so(upstream: Upstream, client: openai.OpenAI, caplog: pytest.LogCaptureFixture) -> None:
    upstream.reply = chat_answer("ok")
    caplog.set_level("INFO", logger="simpy.serve")
    question: Any = [{"role": "user", "content": "```python\ndef (:\n```\n"}]
    raw = client.chat.completions.with_raw_response.create(model="m", messages=question)
    assert raw.headers["x-simpy-notes"] == "1"
    assert upstream.seen[0].json["messages"] == question
    wait_for(lambda: "1 passed unconverted" in caplog.text)
    assert "def (:" not in caplog.text


def test_a_truncated_answer_says_so(upstream: Upstream, client: openai.OpenAI) -> None:
    broken = "```python\n<def_stmt>f a<block_start><return>a?!\n```\n"
    upstream.reply = chat_answer(broken)
    raw = client.chat.completions.with_raw_response.create(model="m", messages=[{"role": "user", "content": "hello"}])
    answer = raw.parse()
    assert raw.headers["x-simpy-notes"] == "1"
    assert "def f(a):" in str(answer.choices[0].message.content) and len(answer.model_dump()["simpy_notes"]) == 1
    upstream.reply = stream(chat_events(broken))
    chunks = list(ask(client, stream=True))
    assert len(chunks[-1].model_dump()["simpy_notes"]) == 1


def test_requests_that_are_not_understood_go_through(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([b'{"error": {}}'], status=400)
    deep = b"[" * 50_000
    odd = [b"{", b"\xff", b"[]", b"7", deep, b'{"a":' + deep, b'{"messages": 7}', b'{"messages": [7, {"role": []}]}', b""]
    contents = (b'{"text": 1}', b'[null, {"type": "text"}]', b"null", b"true")
    odd += [b'{"messages": [{"role": "user", "content": %b}]}' % content for content in contents]
    odd += [b'{"prompt": %b, "n": "x"}' % content for content in contents]
    for body in odd:
        assert post(proxy, body)[0] == 400
        assert upstream.seen[-1].body == body
        assert post(proxy, body, "/completions")[0] == 400
        assert upstream.seen[-1].body == body


# ------------------------------------------------------------------------------------------------------------- our limits


def test_a_large_body_is_refused(upstream: Upstream, proxy: str) -> None:
    status, _, body = post(proxy, b"x" * 100_001)
    assert status == 413 and json.loads(body)["error"]["code"] == "too_large"
    host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=LONG) as connection:  # of unknown length
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(11):
            connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert not upstream.seen


def test_a_request_that_does_not_arrive_is_refused(upstream: Upstream) -> None:
    with proxy_server("http://127.0.0.1:9", body_timeout=0.2) as proxy:
        host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_paths_stay_below_v1(upstream: Upstream, proxy: str) -> None:
    host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")
    paths = [
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/a/%2E%2E/%2e%2e/b",
        "/../admin",
        "/openai/../admin",
        "/openai/deployments/%2e%2e/%2e%2e/b",
    ]
    for path in paths:
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 404")
    assert not upstream.seen


def test_too_many_requests_wait_and_then_are_refused() -> None:
    with upstream_server() as (app, url), proxy_server(url, concurrency=2, queue=1) as proxy:
        app.reply = Reply([b"{}", 1.0])
        found: list[int] = []
        headers: list[dict[str, str]] = []

        def one() -> None:
            status, got, _ = post(proxy)
            found.append(status)
            headers.append(got)

        threads = [threading.Thread(target=one) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert sorted(found) == [200, 200, 200, 503, 503] and app.most == 2
        assert all(("retry-after" in got) == (status == 503) for status, got in zip(found, headers, strict=True))
        assert post(proxy)[0] == 200


# ---------------------------------------------------------------------------------------------------- clients that leave


@pytest.mark.parametrize("steps", [[STALL], [chat_events("Well:\n", finish=False, done=False), STALL]])
def test_a_client_that_leaves_ends_the_request_upstream(steps: list[Any]) -> None:
    with upstream_server() as (app, url), proxy_server(url, timeout=LONG) as proxy:
        app.reply = stream(*steps)
        host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(CHAT), CHAT))
            if len(steps) > 1:
                assert connection.recv(10)
            wait_for(lambda: app.running)
        assert app.left.wait(LONG)
        wait_for(lambda: metric(proxy, "simpy_running_requests") == 0)


# ----------------------------------------------------------------------------------------------------------------- leaks


def test_nothing_stays_behind(upstream: Upstream, proxy: str) -> None:
    """A hundred requests of every kind: afterwards there are no more tasks, connections and open files than before."""
    host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")

    def round_of_five() -> None:
        upstream.reply = stream(chat_events("Well:\n", SIMPY_BLOCK))
        assert post(proxy)[0] == 200
        upstream.reply = stream(chat_events("Well:\n", SIMPY_BLOCK, finish=False), DIE)
        assert b"upstream_error" in post(proxy)[2]
        upstream.reply = Reply([b"{}"], status=500)
        assert post(proxy)[0] == 500
        assert post(proxy, b"x" * 100_001)[0] == 413
        upstream.reply = stream(b": hello\n\n", STALL)
        upstream.left.clear()
        with socket.create_connection((host, int(port)), timeout=LONG) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(CHAT), CHAT))
            assert connection.recv(10)
        assert upstream.left.wait(LONG)

    round_of_five()
    before = held(proxy)
    for _ in range(20):
        round_of_five()
    wait_for(lambda: all(now <= then + 4 for now, then in zip(held(proxy), before, strict=True)))
