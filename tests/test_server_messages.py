"""`simpy serve` for Anthropic's Messages, with the official client: what the model sees, and what the person sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

import transpiler
from dualcode.conversion.markdown import MixedText
from tests.api_answers import MESSAGES, events, whole
from tests.scripted_upstream import LONG, Reply, Upstream, cut, stream

PYTHON = "def add(a, b):\n    # größer: 😀\n    return a + b\n"
WHOLE = transpiler.encode(PYTHON)
QUESTION = f"Explain this:\n```python\n{PYTHON}```\n"
SENT = MixedText("classic").to_model(QUESTION).text
ANSWER = f"Sure — 😀:\n```python\n{WHOLE.rstrip()}\n```\nThat is all. `"
READ = MixedText("classic").to_person(ANSWER).text


@pytest.fixture
def client(proxy: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=proxy.removesuffix("/v1"), api_key="k", max_retries=0, timeout=LONG) as client:
        yield client


def ask(client: anthropic.Anthropic, content: Any = QUESTION, **options: Any) -> Any:
    return client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": content}], **options)


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def test_the_model_sees_simpy_and_the_person_python(upstream: Upstream, client: anthropic.Anthropic) -> None:
    upstream.reply = Reply([whole(MESSAGES, ANSWER, {"path": "a"})])
    answer = ask(client, system=QUESTION, extra_headers={"x-api-key": "key-of-the-client", "anthropic-beta": "b"})
    seen = upstream.seen[0]
    assert seen.target == "/v1/messages"
    assert seen.json == {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": SENT}], "system": SENT}
    assert seen.headers["x-api-key"] == "key-of-the-client"
    assert seen.headers["anthropic-version"] and seen.headers["anthropic-beta"] == "b"
    assert answer.content[0].text == READ and PYTHON in READ
    assert answer.content[1].input == {"path": "a"}


def test_blocks_are_converted_by_what_they_are(upstream: Upstream, client: anthropic.Anthropic) -> None:
    upstream.reply = Reply([whole(MESSAGES, "ok")])
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    use = {"type": "tool_use", "id": "t1", "name": "edit", "input": {"code": QUESTION}}
    thinking = {"type": "thinking", "thinking": QUESTION, "signature": "s"}
    result = {"type": "tool_result", "tool_use_id": "t1"}
    plain = {"type": "text", "media_type": "text/plain"}
    pdf = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}
    given: list[Any] = [
        {**text(QUESTION), "cache_control": {"type": "ephemeral"}},
        image,
        {**result, "content": PYTHON},
        {**result, "content": [text(PYTHON), image]},
        {**result, "content": PYTHON, "simpy": "python"},
        {**result, "content": [{**text(PYTHON), "simpy": "python"}]},
        {**result, "is_error": True},
        {"type": "document", "source": {**plain, "data": QUESTION}, "title": "x"},
        {"type": "document", "source": {"type": "content", "content": [text(QUESTION), image]}},
        pdf,
    ]
    messages: list[Any] = [{"role": "assistant", "content": [thinking, text(QUESTION), use]}, {"role": "user", "content": given}]
    system: list[Any] = [text(QUESTION)]
    raw = client.messages.with_raw_response.create(model="m", max_tokens=9, messages=messages, system=system)
    seen = upstream.seen[0].json
    assert seen["system"] == [text(SENT)]
    assert seen["messages"][0]["content"] == [thinking, text(SENT), use]
    assert seen["messages"][1]["content"] == [
        {**given[0], "text": SENT},
        image,
        {**result, "content": WHOLE},
        {**result, "content": [text(WHOLE), image]},
        {**result, "content": WHOLE},
        {**result, "content": [text(WHOLE)]},
        given[6],
        {**given[7], "source": {**plain, "data": SENT}},
        {"type": "document", "source": {"type": "content", "content": [text(SENT), image]}},
        pdf,
    ]
    assert "x-simpy-notes" not in raw.headers and "x-simpy-converted" not in raw.headers


def test_what_the_answer_is_to_cite_stays(upstream: Upstream, client: anthropic.Anthropic) -> None:
    upstream.reply = Reply([whole(MESSAGES, "ok")])
    document = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": QUESTION},
        "citations": {"enabled": True},
    }
    raw = client.messages.with_raw_response.create(model="m", max_tokens=9, messages=[{"role": "user", "content": [document]}])  # type: ignore[list-item]
    assert upstream.seen[0].json["messages"][0]["content"] == [document] and raw.headers["x-simpy-notes"] == "1"


def test_tokens_are_counted_of_what_the_model_sees(upstream: Upstream, client: anthropic.Anthropic) -> None:
    upstream.reply = Reply([b'{ "input_tokens" : 7 }'])
    counted = client.messages.count_tokens(model="m", messages=[{"role": "user", "content": QUESTION}], system=QUESTION)
    assert counted.input_tokens == 7 and upstream.seen[0].target == "/v1/messages/count_tokens"
    assert upstream.seen[0].json["messages"][0]["content"] == upstream.seen[0].json["system"] == SENT


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_stream_equals_the_whole(upstream: Upstream, client: anthropic.Anthropic, size: int) -> None:
    upstream.reply = stream(*cut(events(MESSAGES, ANSWER, {"path": "a"}, "plain", size=size), 300))
    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": QUESTION}]) as found:
        said = "".join(found.text_stream)
        final = found.get_final_message()
    assert [getattr(block, "text", None) or getattr(block, "input", None) for block in final.content] == [READ, {"path": "a"}, "plain"]
    assert said == READ + "plain" and final.stop_reason == "end_turn" and final.usage.output_tokens == 9


def test_events_without_text_pass_as_received(upstream: Upstream, client: anthropic.Anthropic) -> None:
    deltas: list[Any] = [{"type": "thinking_delta", "thinking": ANSWER}, {"type": "signature_delta", "signature": "s"}]
    deltas += [{"type": "citations_delta", "citation": {"cited_text": ANSWER}}, {"type": "text_delta", "text": 7}, {"type": []}, 7]
    odd: list[Any] = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    odd += [{"type": "ping"}, {"type": "message_start", "message": 7}, {"type": "content_block_start", "content_block": 7}]
    odd += [{"type": "new", "text": ANSWER}, {"type": []}, {"type": "content_block_stop", "index": "x"}]
    data = b": hello\n\n" + b"".join(b"event: x\ndata: " + json.dumps(one).encode() + b"\n\n" for one in odd)
    upstream.reply = stream(data)
    raw = client.messages.with_raw_response.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hello"}], stream=True)
    assert raw.http_response.read() == data


def test_a_fault_is_reported_in_the_answer(upstream: Upstream, client: anthropic.Anthropic) -> None:
    broken = "```py\n<return>a<l>b??\n```"
    upstream.reply = Reply([whole(MESSAGES, broken)])
    raw = client.messages.with_raw_response.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "```py\ndef (:\n```"}])
    assert raw.headers["x-simpy-notes"] == "2" and len(raw.parse().model_dump()["simpy_notes"]) == 1
    upstream.reply = stream(events(MESSAGES, broken))
    found = [event for event in ask(client, stream=True) if event.type == "message_delta"]
    assert len(found[0].model_dump()["simpy_notes"]) == 1
