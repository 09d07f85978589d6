"""`simpy serve` with `simpy_until`: the upstream's stream is closed where the answer is whole, and the client gets a proper end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.scripted_upstream import LONG, STALL, Reply, Upstream, proxy_server, stream, upstream_server

CODE = "<def_stmt>f a<block_start><return>a<block_end>"
PYTHON = "def f(a):\n    return a\n"
CHAT = f"So:\n```python\n{CODE}x=1\n"
ANSWER = f"So:\n```python\n{PYTHON}```\n"


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (upstream, url), proxy_server(url, dialect="classic") as proxy:
        yield upstream, proxy


@pytest.fixture
def upstream(servers: tuple[Upstream, str]) -> Upstream:
    servers[0].seen.clear()
    servers[0].left.clear()
    return servers[0]


@pytest.fixture
def client(servers: tuple[Upstream, str]) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=servers[1], api_key="k", max_retries=0, timeout=LONG) as made:
        yield made


def events(*choices: tuple[int, str, str | None], field: str = "delta") -> bytes:
    found = b""
    for index, text, reason in choices:
        said: dict[str, Any] = {"delta": {"content": text}} if field == "delta" else {"text": text}
        chunk = {"id": "c", "created": 1, "model": "m", "choices": [{"index": index, **said, "finish_reason": reason}]}
        found += b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return found


def endless(*pieces: bytes | float) -> Reply:
    """An answer whose end never comes."""
    return stream(*pieces, STALL)


def chat(client: openai.OpenAI, until: str, **options: Any) -> Any:
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    return client.chat.completions.create(**asked, extra_body={"simpy_until": until}, **options)


def test_the_stream_of_the_upstream_is_closed_early(upstream: Upstream, client: openai.OpenAI) -> None:
    for size in (1, 6, len(CHAT)):
        upstream.left.clear()
        upstream.reply = endless(events(*((0, CHAT[at : at + size], None) for at in range(0, len(CHAT), size))))
        chunks = list(chat(client, "function", stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
        assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"
        assert sum(chunk.choices[0].finish_reason is not None for chunk in chunks) == 1
        assert chunks[-1].choices[0].model_dump()["simpy_stopped"] == "until"
        assert upstream.left.wait(LONG), "the upstream goes on"
    assert "simpy_until" not in upstream.seen[0].json


def test_several_choices_all_have_to_be_whole(upstream: Upstream, client: openai.OpenAI) -> None:
    first = events((0, CHAT, None), (1, "None here.", None), (0, "more", None))
    upstream.reply = endless(first, 0.05, events((0, "", "length"), (1, "", "length")))
    chunks = list(chat(client, "function", stream=True, n=2))
    texts, reasons = {0: "", 1: ""}, {}
    for chunk in chunks:
        choice = chunk.choices[0]
        texts[choice.index] += choice.delta.content or ""
        reasons[choice.index] = choice.finish_reason
    assert texts == {0: ANSWER, 1: "None here."}
    assert reasons == {0: "stop", 1: "length"}
    assert upstream.left.wait(LONG)


def test_completions_stop_too(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = endless(events((0, "a+1<block_end><def", None), (0, "_stmt>g", None), field="text"))
    asked: dict[str, Any] = {"model": "m", "prompt": "def f(a):\n    return ", "extra_body": {"simpy_until": "block"}}
    chunks = list(client.completions.create(**asked, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "a + 1\n"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert upstream.left.wait(LONG)


def test_a_whole_answer_is_cut(upstream: Upstream, client: openai.OpenAI) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": CHAT + "```\nmore"}, "finish_reason": "length"}
    upstream.reply = Reply([json.dumps({"id": "c", "created": 1, "model": "m", "choices": [choice]}).encode()])
    found = chat(client, "function").choices[0]
    assert (found.message.content, found.finish_reason) == (ANSWER, "stop")
    choice["message"] = {"role": "assistant", "content": "No code."}
    upstream.reply = Reply([json.dumps({"id": "c", "created": 1, "model": "m", "choices": [choice]}).encode()])
    found = chat(client, "function").choices[0]
    assert (found.message.content, found.finish_reason) == ("No code.", "length")


def test_an_answer_that_ends_by_itself_ends_once(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(events((0, CHAT + "```\n", None), (0, "", "stop")) + b"data: [DONE]\n\n")
    chunks = list(chat(client, "function", stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]


def test_what_is_no_unit_is_refused(upstream: Upstream, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="simpy_until is one of statement, block"):
        chat(client, "loop")
    with pytest.raises(openai.BadRequestError, match="is for chat completions and completions"):
        client.responses.create(model="m", input="hi", extra_body={"simpy_until": "block"})
    with pytest.raises(openai.BadRequestError, match="needs a request that is read: the prompt is token ids"):
        client.completions.create(model="m", prompt=[1, 2], extra_body={"simpy_until": "block"})
    assert not upstream.seen
