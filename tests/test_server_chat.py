"""`simpy serve` with the official client: what the model sees, what the person sees, and what stays untouched."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import openai
import pytest

import transpiler
from dualcode.conversion.markdown import MixedText
from tests.scripted_upstream import LONG, Reply, Upstream, chat_answer, chat_event, chat_events, cut, proxy_server, stream, upstream_server

PYTHON = "def add(a, b):\n    # größer: 😀\n    return a + b\n"
SIMPY = transpiler.encode(PYTHON).rstrip("\n")
QUESTION = f"Explain this, *exactly*:\n```python\n{PYTHON}```\nand not this:\n```js\nlet a  = 1;\n```\n"
ANSWER = f"Sure — grüße 😀:\n```python\n{SIMPY}\n```\nThat is all.\n"


def ask(client: openai.OpenAI, text: Any = QUESTION, **options: Any) -> Any:
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], **options)


def streamed(client: openai.OpenAI, text: str = QUESTION) -> tuple[str, list[Any]]:
    chunks = list(ask(client, text, stream=True))
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


def test_the_model_sees_simpy_and_the_person_python(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = chat_answer(ANSWER)
    answer = ask(client).choices[0].message.content
    sent = upstream.seen[0].json["messages"][0]["content"]
    assert SIMPY in sent and PYTHON not in sent
    assert sent == MixedText("classic").to_model(QUESTION).text
    assert "```js\nlet a  = 1;\n```" in sent
    assert answer == MixedText("classic").to_person(ANSWER).text
    assert PYTHON in answer


def test_text_parts_are_converted_and_other_parts_are_not(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = chat_answer("ok")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    ask(client, [{"type": "text", "text": QUESTION}, image])
    assert upstream.seen[0].json["messages"][0]["content"] == [
        {"type": "text", "text": MixedText("classic").to_model(QUESTION).text},
        image,
    ]


def test_what_is_not_converted_goes_through_byte_for_byte(upstream: Upstream, proxy: str) -> None:
    """Spacing, order, escapes, numbers and repeated names of the JSON; headers and query too."""
    body = (
        b'{ "model":"m","messages" : [{"role":"user","content":"gr\\u00fc\\u00dfe 1.0"}], "x": 1.50, "x": 1e400, "y":123456789012345678 }'
    )
    answer = b'{ "choices" : [ {"index":0, "message": {"content":"plain"}} ], "odd": 1.50 }'
    upstream.reply = Reply([answer])
    request = urllib.request.Request(
        f"{proxy}/chat/completions?api-version=2", data=body, headers={"Authorization": "Bearer k", "X-Mine": "1"}
    )
    with urllib.request.urlopen(request, timeout=LONG) as response:
        assert response.read() == answer
        assert response.headers["x-simpy-notes"] is None
    seen = upstream.seen[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/chat/completions?api-version=2", body)
    assert seen.headers["authorization"] == "Bearer k" and seen.headers["x-mine"] == "1"


def test_unknown_fields_and_tool_calls_are_untouched(upstream: Upstream, client: openai.OpenAI) -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "edit", "arguments": json.dumps({"code": f"```python\n{PYTHON}```"})}}
    tools = [{"type": "function", "function": {"name": "edit", "description": QUESTION, "parameters": {"type": "object"}}}]
    upstream.reply = chat_answer(None, tool_calls=[call], strange={"text": ANSWER})
    messages: list[Any] = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "t1", "content": "two words"},
    ]
    answer = client.chat.completions.create(model="m", messages=messages, tools=tools, extra_body={"mine": [1, {"a": QUESTION}]})  # type: ignore[arg-type]
    seen = upstream.seen[0].json
    assert seen["messages"][1:] == messages[1:] and seen["tools"] == tools and seen["mine"] == [1, {"a": QUESTION}]
    message = answer.choices[0].message.model_dump()
    assert message["tool_calls"][0]["function"]["arguments"] == call["function"]["arguments"]  # type: ignore[index]
    assert message["strange"] == {"text": ANSWER} and message["content"] is None


def test_the_same_message_gives_the_same_bytes(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = chat_answer("ok")
    ask(client)
    ask(client)
    assert upstream.seen[0].body == upstream.seen[1].body


def test_a_stream_equals_the_whole_at_any_cut_of_the_text(upstream: Upstream, client: openai.OpenAI) -> None:
    whole = MixedText("classic").to_person(ANSWER).text
    for size in (1, 2, 3, 5, 8, 13, 40, len(ANSWER)):
        pieces = [ANSWER[at : at + size] for at in range(0, len(ANSWER), size)]
        upstream.reply = stream(chat_events(*pieces))
        text, chunks = streamed(client)
        assert text == whole, f"pieces of {size} characters"
        assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_a_stream_equals_the_whole_at_any_cut_of_the_bytes(upstream: Upstream, client: openai.OpenAI, ending: bytes) -> None:
    """Events and UTF-8 are split anywhere."""
    data = chat_events(*(ANSWER[at : at + 7] for at in range(0, len(ANSWER), 7))).replace(b"\n", ending)
    whole = MixedText("classic").to_person(ANSWER).text
    for size in (1, 2, 7, 64, 500, len(data)):
        upstream.reply = stream(*cut(data, size))
        assert streamed(client)[0] == whole, f"pieces of {size} bytes"


def test_comments_ids_and_usage_of_a_stream_go_through(upstream: Upstream, proxy: str) -> None:
    events = b": keep-alive\n\nid: 7\nevent: x\ndata: {}\n\nretry: 10\n\n" + chat_events("plain", " text")
    events += b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n'
    upstream.reply = stream(events)
    request = urllib.request.Request(f"{proxy}/chat/completions", data=json.dumps({"messages": [], "stream": True}).encode())
    with urllib.request.urlopen(request, timeout=LONG) as response:
        got = response.read()
    assert got.startswith(b": keep-alive\n\nid: 7\nevent: x\ndata: {}\n\nretry: 10\n\n")
    assert got.endswith(b'data: {"choices": [], "usage": {"total_tokens": 3}}\n\n')


def test_several_choices_are_converted_apart(upstream: Upstream, client: openai.OpenAI) -> None:
    events = b""
    for at in range(0, len(ANSWER), 9):
        for index in (0, 1):
            choice = {"index": index, "delta": {"content": ANSWER[at : at + 9]}, "finish_reason": None}
            events += b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"
    upstream.reply = stream(events, b"data: [DONE]\n\n")  # and no word that the choices are finished
    found = {0: "", 1: ""}
    for chunk in ask(client, stream=True, n=2):
        for choice in chunk.choices:
            found[choice.index] += choice.delta.content or ""
    whole = MixedText("classic").to_person(ANSWER).text
    assert found == {0: whole, 1: whole}


def test_events_that_are_alike_lose_nothing(upstream: Upstream, proxy: str) -> None:
    """What stands beside the text, or is named like it, is neither dropped nor taken for the text."""
    call = {"tool_calls": [{"index": 0, "function": {"arguments": "a"}}]}
    odd: list[dict[str, Any]] = [{"delta": {"content": "x", **call}}, {"delta": {}, "more": {"content": "x"}}]
    odd += [{"delta": {"content": "x"}, "logprobs": {"p": 1}}, {"delta": {"content": 7}}, {"delta": None}]
    for choice in odd:
        event = b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"
        upstream.reply = stream(event * 5 + b"data: [DONE]\n\n")
        request = urllib.request.Request(f"{proxy}/chat/completions", data=json.dumps({"messages": [], "stream": True}).encode())
        with urllib.request.urlopen(request, timeout=LONG) as response:
            assert response.read() == event * 5 + b"data: [DONE]\n\n"
    upstream.reply = stream(chat_event(({"content": "```py\n<return>a", **call}, None)) * 5)  # the texts change
    with urllib.request.urlopen(request, timeout=LONG) as response:
        assert response.read().replace(b" ", b"").count(b'"arguments":"a"') == 5


def test_other_paths_go_through(upstream: Upstream, client: openai.OpenAI, proxy: str) -> None:
    upstream.reply = Reply([b'{"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "us"}]}'])
    assert [model.id for model in client.models.list()] == ["m"]
    assert (upstream.seen[0].method, upstream.seen[0].target) == ("GET", "/v1/models")
    upstream.reply = Reply([b"\x00\xff"], status=201, headers={"content-type": "application/octet-stream", "x-more": "yes"})
    request = urllib.request.Request(f"{proxy}/files/a%2Fb?q=1%202", data=b"\xfe", method="PUT")
    with urllib.request.urlopen(request, timeout=LONG) as response:
        assert (response.status, response.read(), response.headers["x-more"]) == (201, b"\x00\xff", "yes")
    assert (upstream.seen[1].method, upstream.seen[1].target, upstream.seen[1].body) == ("PUT", "/v1/files/a%2Fb?q=1%202", b"\xfe")


def test_compact_is_the_default(upstream: Upstream) -> None:
    text = "```python\ndef f( a ):\n    return  a\n```\n"
    with upstream_server() as (app, url), proxy_server(url) as proxy, openai.OpenAI(base_url=proxy, api_key="k", max_retries=0) as client:
        app.reply = chat_answer("ok")
        ask(client, text)
        sent = app.seen[0].json["messages"][0]["content"]
    assert sent == MixedText("compact").to_model(text).text != text


def test_what_the_caller_marks_is_python(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = chat_answer("ok")
    kept = {"role": "other", "content": PYTHON}
    part = {"type": "text", "text": PYTHON}
    words = {"type": "text", "text": "two words"}
    messages: Any = [
        {"role": "user", "content": [words, {**part, "simpy": "python"}]},
        {**kept, "simpy": "python"},
        kept,
        {**kept, "content": [part], "simpy": "python"},
        {**kept, "content": "two words", "simpy": "python"},
        {**kept, "simpy": "something else"},
    ]
    raw = client.chat.completions.with_raw_response.create(model="m", messages=messages)
    seen = upstream.seen[0].json["messages"]
    simpy = transpiler.encode(PYTHON)
    assert seen[0]["content"] == [words, {**part, "text": simpy}]
    assert seen[1:5] == [
        {**kept, "content": simpy},
        kept,
        {**kept, "content": [{**part, "text": simpy}]},
        {**kept, "content": "two words"},
    ]
    assert seen[5] == messages[5] and raw.headers["x-simpy-notes"] == "1"


@pytest.mark.parametrize("always", [True, False])
def test_results_of_tools_are_converted_where_asked_for(always: bool) -> None:
    results = [PYTHON, f"Found it:\n```python\n{PYTHON}```\n", '{"x": 1}', "two words", "1: x = 1\n2: y = 2\n", "- a\n+ b\n"]
    messages: Any = [{"role": "tool", "tool_call_id": "1", "content": result} for result in results]
    with (
        upstream_server() as (app, url),
        proxy_server(url, dialect="classic", tool_results=always) as proxy,
        openai.OpenAI(base_url=proxy, api_key="k", max_retries=0, timeout=LONG) as client,
    ):
        app.reply = chat_answer("ok")
        headers = {} if always else {"X-SimPy-Convert": "tool"}
        raw = client.chat.completions.with_raw_response.create(model="m", messages=messages, extra_headers=headers)
        seen = [message["content"] for message in app.seen[0].json["messages"]]
        assert seen == [transpiler.encode(PYTHON), f"Found it:\n```python\n{SIMPY}\n```\n", *results[2:]]
        assert "x-simpy-convert" not in app.seen[0].headers and "x-simpy-notes" not in raw.headers
        if not always:
            client.chat.completions.create(model="m", messages=messages)
            assert app.seen[1].json["messages"] == messages
        with pytest.raises(openai.BadRequestError, match="x-simpy-convert"):
            client.chat.completions.create(model="m", messages=messages, extra_headers={"X-SimPy-Convert": "everything"})
