"""The backend for servers: the official client, whole and streamed, against answers that a transport of the test gives."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

openai = pytest.importorskip("openai", reason="the extra serve is not installed")
httpx = pytest.importorskip("httpx", reason="the extra serve is not installed")

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.openai_backend import OpenAIBackend  # noqa: E402  # after the libraries that may be missing
from dualcode.reported_usage import ReportedUsage  # noqa: E402  # after the libraries that may be missing
from simpy_grammar.errors import BackendError  # noqa: E402  # after the libraries that may be missing

URL = "http://127.0.0.1:9/v1"
SIMPY = "```python\n<if_stmt>a<l>b<block_start>c()<block_end>\n```"
PYTHON = "```python\nif a < b:\n    c()\n```"
USAGE = {"prompt_tokens": 90, "completion_tokens": 7, "total_tokens": 97, "prompt_tokens_details": {"cached_tokens": 64}}


class Server:
    """Answers every request, and remembers them."""

    def __init__(self, text: str, status: int = 200) -> None:
        self.text = text
        self.status = status
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: Any) -> Any:
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"object": "list", "data": [{"id": "tiny", "object": "model"}]})
        body = json.loads(request.content)
        self.bodies.append(body)
        if self.status != 200:
            return httpx.Response(self.status, json={"error": {"message": "slow down"}})
        chat = request.url.path == "/v1/chat/completions"
        if body.get("stream"):
            pieces = [self.text[at : at + 4] for at in range(0, len(self.text), 4)]
            lines = [json.dumps({"choices": [{"index": 0, "delta": {"content": p}} if chat else {"index": 0, "text": p}]}) for p in pieces]
            lines.insert(0, json.dumps({"choices": []}))
            if (body.get("stream_options") or {}).get("include_usage"):
                lines.append(json.dumps({"choices": [], "usage": USAGE}))
            content = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"])
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.text}} if chat else {"index": 0, "text": self.text}
        return httpx.Response(200, json={"choices": [choice], "usage": USAGE})

    async def later(self, request: Any) -> Any:
        return self(request)


def backend(server: Server, **options: Any) -> OpenAIBackend:
    client = openai.OpenAI(base_url=URL, api_key="k", max_retries=0, http_client=httpx.Client(transport=httpx.MockTransport(server)))
    http = httpx.AsyncClient(transport=httpx.MockTransport(server.later))
    later = openai.AsyncOpenAI(base_url=URL, api_key="k", max_retries=0, http_client=http)
    return OpenAIBackend(client=client, async_client=later, **options)


def test_chat() -> None:
    server = Server(SIMPY)
    code = DualCode(backend(server), dialect="classic")
    messages = [{"role": "user", "content": PYTHON}]
    result = code.chat(messages, temperature=0)
    assert result.text == PYTHON
    assert "".join(code.chat(messages, stream=True)) == PYTHON
    assert [body["messages"][0]["content"] for body in server.bodies] == [SIMPY, SIMPY]
    assert (server.bodies[0]["model"], server.bodies[0]["temperature"], server.bodies[1]["stream"]) == ("tiny", 0, True)
    assert result.raw[0].choices[0].message.content == SIMPY
    assert result.usage.estimated


def test_what_the_server_reports() -> None:
    code = DualCode(backend(Server(SIMPY)), dialect="classic")
    messages = [{"role": "user", "content": PYTHON}]
    expected = ReportedUsage(uncached=26, cached=64, output=7)
    assert code.chat(messages).usage.reported == expected
    for options, reported in (({"stream_options": {"include_usage": True}}, expected), ({}, None)):
        stream = code.chat(messages, stream=True, **options)
        assert "".join(stream) == PYTHON
        assert stream.result is not None and stream.result.usage.reported == reported
    assert code.complete("x = ").usage.reported == expected
    assert code.usage.total.reported == expected + expected + expected


def test_completion_and_infill() -> None:
    server = Server("b<block_end>")
    code = DualCode(backend(server, name="named", count=len), dialect="classic")
    assert code.complete("def f(a, b):\n    return a +").text == " b\n"
    assert code.infill("def f(a, b):\n    return a +", "\nx = 1\n").text == " b"
    assert "".join(code.complete("def f(a, b):\n    return a +", stream=True)) == " b\n"
    assert [(body["model"], body.get("suffix")) for body in server.bodies] == [
        ("named", None),
        ("named", "<block_end>x=1"),
        ("named", None),
    ]
    assert not code.usage.calls[0].estimated


def test_asyncio() -> None:
    async def ask() -> list[str]:
        model = backend(Server(SIMPY))
        code = DualCode(model, dialect="classic")
        messages = [{"role": "user", "content": "?"}]
        whole = await code.achat(messages)
        stream = await code.achat(messages, stream=True)
        texts = [whole.text, "".join([piece async for piece in stream])]
        await model._async_client.close()
        return texts

    assert asyncio.run(ask()) == [PYTHON, PYTHON]


@pytest.mark.parametrize("status", [429, 500])
def test_the_servers_errors_are_ours(status: int) -> None:
    code = DualCode(backend(Server("", status)))
    with pytest.raises(BackendError, match=str(status)):
        code.chat([{"role": "user", "content": "?"}])
    with pytest.raises(BackendError, match=str(status)):
        asyncio.run(code.achat([{"role": "user", "content": "?"}]))


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(BackendError, match="Connection error"):
        DualCode(URL, max_retries=0, name="m").complete("x")
