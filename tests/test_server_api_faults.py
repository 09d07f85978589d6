"""`simpy serve` when things go wrong, for the APIs whose errors and events differ from those of a chat: nothing hangs or stays behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from dualcode.server.sse import EventReader
from tests.api_answers import ASKED, MESSAGES, RESPONSES, events, whole
from tests.scripted_upstream import DIE, LONG, STALL, Reply, Upstream, proxy_server, stream, upstream_server, wait_for
from tests.test_server_faults import held, metric, post

SIMPY = "Well:\n```python\n<def_stmt>f a<block_start><return>a<block_end>\n```\nso `"
PYTHON = "Well:\n```python\ndef f(a):\n    return a\n```\nso `"
BROKEN = "```py\n<return>a<l>b??\n```"
NEW = (RESPONSES, MESSAGES)


PROXY = {"timeout": 0.5, "max_body": 100_000, "max_answer": 200_000}  # settings of the proxy


@pytest.fixture
def other(proxy: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=proxy.removesuffix("/v1"), api_key="k", max_retries=0, timeout=LONG) as client:
        yield client


def asked(path: str) -> bytes:
    return json.dumps({**ASKED[path], "stream": True}).encode()


def said(sent: bytes) -> tuple[str, list[dict[str, Any]]]:
    """The text of a streamed answer, and its events."""
    found = [json.loads(event.data) for event in EventReader().feed(sent) if event.data]
    deltas = [event["delta"] for event in found if event["type"] in ("response.output_text.delta", "content_block_delta")]
    return "".join(delta if isinstance(delta, str) else delta["text"] for delta in deltas), found


def test_errors_of_the_upstream_go_through(upstream: Upstream, client: openai.OpenAI, other: anthropic.Anthropic) -> None:
    upstream.reply = Reply([b'{"error": {"message": "slow down", "type": "t"}}'], status=429)
    upstream.reply.headers["retry-after"] = "17"
    with pytest.raises(openai.RateLimitError) as theirs:
        client.responses.create(model="m", input="hello")
    with pytest.raises(anthropic.RateLimitError) as others:
        other.messages.create(**ASKED[MESSAGES])
    assert theirs.value.response.headers["retry-after"] == others.value.response.headers["retry-after"] == "17"


@pytest.mark.parametrize(
    ("reply", "status", "named"),
    [(Reply([STALL]), 504, "timeout_error"), (Reply([b'{"content": [', DIE]), 502, "api_error")],
)
def test_our_errors_have_the_form_of_the_api(upstream: Upstream, proxy: str, reply: Reply, status: int, named: str) -> None:
    upstream.reply = reply
    found, _, body = post(proxy, json.dumps(ASKED[MESSAGES]).encode(), MESSAGES)
    error = json.loads(body)
    assert (found, error["type"], error["error"]["type"]) == (status, "error", named) and set(error["error"]) == {"type", "message"}
    found, _, body = post(proxy, json.dumps(ASKED[RESPONSES]).encode(), RESPONSES)
    assert found == status and json.loads(body)["error"]["type"] == "proxy_error"


def test_a_large_body_is_refused(upstream: Upstream, proxy: str) -> None:
    status, _, body = post(proxy, b"x" * 100_001, MESSAGES)
    assert status == 413 and json.loads(body)["error"]["type"] == "request_too_large"


@pytest.mark.parametrize("end", [DIE, STALL])
@pytest.mark.parametrize("path", NEW)
def test_an_upstream_that_breaks_off_or_falls_silent(upstream: Upstream, proxy: str, path: str, end: str) -> None:
    upstream.reply = stream(events(path, SIMPY, finish=False), b'data: {"ty', end)
    text, found = said(post(proxy, asked(path), path)[2])
    assert text == PYTHON, "what was held did not come"
    assert found[-1]["type"] == "error"
    numbers = [event["sequence_number"] for event in found if "sequence_number" in event]
    assert numbers == sorted(set(numbers)) and bool(numbers) == (path == RESPONSES)


def test_the_clients_see_errors_in_streams(upstream: Upstream, client: openai.OpenAI, other: anthropic.Anthropic) -> None:
    upstream.reply = stream(events(MESSAGES, SIMPY, finish=False), DIE)
    with pytest.raises(anthropic.APIError, match="broke off"), other.messages.create(**ASKED[MESSAGES], stream=True) as found:
        list(found)
    upstream.reply = stream(events(RESPONSES, SIMPY, finish=False), DIE)
    last = None
    try:
        for event in client.responses.create(model="m", input="hello", stream=True):
            last = event
    except openai.APIError as error:
        assert "broke off" in str(error)
    else:
        assert last is not None and last.type == "error" and "broke off" in last.message


@pytest.mark.parametrize("path", NEW)
def test_an_error_of_the_upstream_in_a_stream(upstream: Upstream, proxy: str, path: str) -> None:
    error = b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "later"}, "message": "later"}\n\n'
    upstream.reply = stream(events(path, SIMPY, finish=False), error)
    sent = post(proxy, asked(path), path)[2]
    assert said(sent)[0] == PYTHON and sent.endswith(error)


@pytest.mark.parametrize("path", NEW)
def test_a_stream_that_ends_without_saying_so(upstream: Upstream, proxy: str, path: str) -> None:
    upstream.reply = stream(events(path, SIMPY, finish=False))
    assert said(post(proxy, asked(path), path)[2])[0] == PYTHON


@pytest.mark.parametrize("path", NEW)
def test_errors_where_asked_for(path: str) -> None:
    with upstream_server() as (app, url), proxy_server(url, dialect="classic", on_error="raise") as proxy:
        text = "```py\ndef (:\n```"
        wrong = {RESPONSES: {"input": text}, MESSAGES: {"messages": [{"role": "user", "content": text}]}}[path]
        status, _, body = post(proxy, json.dumps(wrong).encode(), path)
        assert status == 422 and not app.seen
        assert ("proxy_error" if path == RESPONSES else "invalid_request_error") == json.loads(body)["error"]["type"]
        app.reply = stream(events(path, BROKEN))
        found = said(post(proxy, asked(path), path)[2])[1]
        assert found[-1]["type"] == "error"
        app.reply = Reply([whole(path, BROKEN)])
        assert post(proxy, asked(path), path)[0] == 422


def leave(proxy: str, path: str) -> None:
    """Ask, read a little, and go."""
    host, port = proxy.removeprefix("http://").removesuffix("/v1").split(":")
    body = asked(path)
    with socket.create_connection((host, int(port)), timeout=LONG) as connection:
        connection.sendall(b"POST /v1%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (path.encode(), len(body), body))
        assert connection.recv(10)


@pytest.mark.parametrize("path", NEW)
def test_a_client_that_leaves_ends_the_request_upstream(path: str) -> None:
    with upstream_server() as (app, url), proxy_server(url, timeout=LONG) as proxy:
        app.reply = stream(events(path, SIMPY, finish=False), STALL)
        leave(proxy, path)
        assert app.left.wait(LONG)
        wait_for(lambda: metric(proxy, "simpy_running_requests") == 0)


def test_nothing_stays_behind(upstream: Upstream, proxy: str) -> None:
    """A hundred requests of every kind: afterwards there are no more tasks, connections and open files than before."""

    def round_of_ten() -> None:
        for path in NEW:
            upstream.reply = stream(events(path, SIMPY, {"path": "a"}))
            assert post(proxy, asked(path), path)[0] == 200
            upstream.reply = stream(events(path, SIMPY, finish=False), DIE)
            assert b"broke off" in post(proxy, asked(path), path)[2]
            upstream.reply = Reply([b"{}"], status=500)
            assert post(proxy, asked(path), path)[0] == 500
            assert post(proxy, b"x" * 100_001, path)[0] == 413
            upstream.reply = stream(b": hello\n\n", STALL)
            upstream.left.clear()
            leave(proxy, path)
            assert upstream.left.wait(LONG)

    round_of_ten()
    before = held(proxy)
    for _ in range(10):
        round_of_ten()
    wait_for(lambda: all(now <= then + 4 for now, then in zip(held(proxy), before, strict=True)))
