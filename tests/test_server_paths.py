"""`simpy serve`: which paths are converted and where they go, what says that nothing was converted, and web pages that ask."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import openai
import pytest

from dualcode.server.apis.registry import APIS, Location, stored_answer
from dualcode.server.settings import Settings
from tests.api_answers import ASKED, CHAT, events, whole
from tests.scripted_upstream import LONG, Reply, Upstream, proxy_server, stream, upstream_server

PYTHON = "```python\ndef f( a ):\n    return  a\n```\n"
SIMPY = "```python\n<def_stmt>f a<block_start><return>a<block_end>\n```\n"
READ = "```python\ndef f(a):\n    return a\n```\n"


PROXY = {"cors": ("https://page.example",)}  # settings of the proxy


@pytest.fixture
def proxy(servers: tuple[Upstream, str]) -> str:
    return servers[1].removesuffix("/v1")


def ask(url: str, body: bytes | None = None, method: str = "POST", **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body, whatever the status."""
    request = urllib.request.Request(
        url, data=body, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=LONG) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("path", ASKED)
def test_with_and_without_v1(upstream: Upstream, proxy: str, prefix: str, path: str) -> None:
    upstream.reply = Reply([whole(path, SIMPY)])
    status, headers, body = ask(proxy + prefix + path + "?a=b%20c", json.dumps(ASKED[path]).encode())
    assert (status, upstream.seen[0].target, body) == (
        200,
        f"/v1{path}?a=b%20c",
        whole(path, READ).replace(b": ", b":").replace(b", ", b","),
    )
    assert headers["x-simpy-converted"] is None


def test_azures_client(upstream: Upstream, proxy: str) -> None:
    messages: Any = [{"role": "user", "content": PYTHON}]
    upstream.reply = Reply([whole(CHAT, SIMPY)])
    with openai.AzureOpenAI(azure_endpoint=proxy, api_key="k", api_version="2024-10-21", max_retries=0, timeout=LONG) as client:
        answer = client.chat.completions.create(model="mine", messages=messages)
    seen = upstream.seen[0]
    assert seen.target == "/openai/deployments/mine/chat/completions?api-version=2024-10-21" and seen.headers["api-key"] == "k"
    assert "<def_stmt>" in seen.json["messages"][0]["content"] and answer.choices[0].message.content == READ
    upstream.reply = stream(events(CHAT, SIMPY))
    with openai.OpenAI(base_url=f"{proxy}/openai/v1/", api_key="k", max_retries=0, timeout=LONG) as other:
        chunks = list(other.chat.completions.create(model="mine", messages=messages, stream=True))
    assert upstream.seen[1].target == "/openai/v1/chat/completions"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == READ


def test_locations() -> None:
    assert [Location.of(path) for path in ("/v1", "/", "/v10/messages", "/openai", "/openai/responses", "/openai/deployments/a")] == [
        ("/v1", ""),
        ("/", ""),
        ("/v10/messages", ""),
        ("/openai", ""),
        ("/responses", "/openai"),
        ("/deployments/a", "/openai"),
    ]
    assert [
        stored_answer(path) is not None for path in ("/responses/r1", "/responses", "/responses/r1/cancel", "/responses/input_tokens")
    ] == [
        True,
        False,
        False,
        False,
    ]
    assert Settings("https://a.example/openai").root == Settings("https://a.example/openai/v1/").root == "https://a.example"
    assert Settings("https://a.example/x/v1").root == "https://a.example/x"


# --------------------------------------------------------------------------------------------------- what is not converted


def test_what_is_not_converted_says_so(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([b"{}"])
    for path in ("/v1/embeddings", "/v1/messages/batches", "/models", "/openai/deployments/a/embeddings"):
        assert ask(proxy + path, b"{}")[1]["x-simpy-converted"] == "no; this path is not converted"
    assert ask(proxy + "/v1/messages", b"[]")[1]["x-simpy-converted"] == "no; the request is not a JSON object"
    assert ask(proxy + "/v1/completions", b'{"prompt": [1]}')[1]["x-simpy-converted"] == "no; the prompt is token ids"
    body = json.dumps(ASKED[CHAT]).encode()
    upstream.reply = Reply([b"hello"], headers={"content-type": "text/plain"})
    assert ask(proxy + "/v1/chat/completions", body)[1]["x-simpy-converted"] == "no; the answer is neither JSON nor events"
    upstream.reply = Reply([b"hello"], headers={"content-type": "application/json", "content-encoding": "zstd"})
    assert ask(proxy + "/v1/chat/completions", body)[1]["x-simpy-converted"] == "no; the answer is compressed in a way that is not read"


HOSTILE = [b"", b"{", b"\xff", b"[]", b"7", b"null", b"[" * 50_000, b'{"a":' + b"[" * 50_000, b'{"messages": NaN}', b'{"input": 1e999}']
HOSTILE += [
    b'{ "input" : %b, "messages" : %b, "system":%b , "instructions": %b }' % ((value,) * 4) for value in (b"7", b"null", b'{"a": 1}', b"[]")
]
HOSTILE += [
    b'{"messages": [%b], "input": [%b], "system": [%b]}' % ((one,) * 3)
    for one in (
        b"7",
        b"null",
        b"[[]]",
        b"{}",
        b'{"role": [], "content": {"a": 1}}',
        b'{"role": "user", "content": [7, [], {}, {"type": []}, {"type": "text"}, {"type": "text", "text": 7}]}',
        b'{"type": [], "content": 7}',
        b'{"type": "function_call_output", "output": {"a": 1}}',
        b'{"role": "user", "content": [{"type": "tool_result", "content": 7}, {"type": "tool_result", "content": {"type": 7}}]}',
        b'{"role": "user", "content": [{"type": "document", "source": 7}, {"type": "document", "source": {"type": "text", "data": []}}]}',
        b'{"role": "user", "content": [{"type": "document", "source": {"type": "content", "content": {"type": "document"}}}]}',
        b'{"role": "user", "content": "\\ud800 ```py\\n x = (\\n```", "x": 1.50, "x": 12345678901234567890}',
    )
]


@pytest.mark.parametrize("path", APIS)
def test_requests_that_are_not_understood_pass_byte_for_byte(upstream: Upstream, proxy: str, path: str) -> None:
    upstream.reply = Reply([b'{"error": {}}'], status=400)
    for body in HOSTILE:
        assert ask(proxy + path, body)[0] == 400
        assert upstream.seen[-1].body == body


@pytest.mark.parametrize("path", ASKED)
def test_answers_that_are_not_understood_pass_byte_for_byte(upstream: Upstream, proxy: str, path: str) -> None:
    body = json.dumps(ASKED[path]).encode()
    for odd in (
        b"{",
        b"[]",
        b"7",
        b'{ "choices": 7, "content" :7, "output": 7 }',
        b'{"content": [7, {"type": []}], "output": [7, {"content": [7]}]}',
    ):
        upstream.reply = Reply([odd])
        assert ask(proxy + path, body)[2] == odd
        upstream.reply = stream(b"event: x\ndata: " + odd + b"\n\n", b"data: [DONE]\n\n")
        assert ask(proxy + path, body)[2] == b"event: x\ndata: " + odd + b"\n\ndata: [DONE]\n\n"


# --------------------------------------------------------------------------------------------------------------- web pages


def test_web_pages_of_a_named_origin_may_ask(upstream: Upstream, proxy: str) -> None:
    upstream.reply = Reply([whole(CHAT, "ok")], headers={"content-type": "application/json", "access-control-allow-origin": "*"})
    asks = {"Origin": "https://page.example", "Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-api-key"}
    status, headers, _ = ask(proxy + "/v1/messages", method="OPTIONS", **asks)
    assert (status, headers["access-control-allow-origin"], headers["access-control-allow-headers"]) == (
        200,
        "https://page.example",
        "x-api-key",
    )
    _, headers, _ = ask(proxy + CHAT, json.dumps(ASKED[CHAT]).encode(), Origin="https://page.example")
    assert headers.get_all("access-control-allow-origin") == ["https://page.example"]
    assert "x-simpy-notes" in headers["access-control-expose-headers"]
    status, headers, _ = ask(proxy + "/v1/messages", method="OPTIONS", **{**asks, "Origin": "https://other.example"})
    assert status == 400 and headers["access-control-allow-origin"] is None
    assert len(upstream.seen) == 1, "the browser's question is not for the upstream"


def test_web_pages_get_no_leave_by_default() -> None:
    with upstream_server() as (app, url), proxy_server(url) as other:
        app.reply = Reply([whole(CHAT, "ok")])
        headers = ask(other + CHAT, json.dumps(ASKED[CHAT]).encode(), Origin="https://page.example")[1]
        assert headers["access-control-allow-origin"] is None
