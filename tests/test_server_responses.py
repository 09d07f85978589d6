"""`simpy serve` for OpenAI's Responses, with the official client: what the model sees, and what the person sees."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

import transpiler
from dualcode.conversion.markdown import MixedText
from tests.api_answers import RESPONSES, events, whole
from tests.scripted_upstream import LONG, Reply, Upstream, cut, stream

PYTHON = "def add(a, b):\n    # größer: 😀\n    return a + b\n"
SIMPY = transpiler.encode(PYTHON).rstrip("\n")
QUESTION = f"Explain this:\n```python\n{PYTHON}```\n"
SENT = MixedText("classic").to_model(QUESTION).text
ANSWER = f"Sure — 😀:\n```python\n{SIMPY}\n```\nThat is all. `"
READ = MixedText("classic").to_person(ANSWER).text


def ask(client: openai.OpenAI, given: Any = QUESTION, **options: Any) -> Any:
    return client.responses.create(model="m", input=given, **options)


def test_the_model_sees_simpy_and_the_person_python(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = Reply([whole(RESPONSES, ANSWER)])
    answer = ask(client, instructions=QUESTION)
    assert upstream.seen[0].target == "/v1/responses"
    assert upstream.seen[0].json == {"model": "m", "input": SENT, "instructions": SENT}
    assert answer.output_text == READ and PYTHON in READ


def test_items_are_converted_by_what_they_are(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = Reply([whole(RESPONSES, "ok")])
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    call = {"type": "function_call", "call_id": "t1", "name": "edit", "arguments": json.dumps({"code": QUESTION})}
    said = {"type": "message", "role": "assistant", "id": "i1", "status": "completed"}
    written = {"type": "output_text", "text": QUESTION, "annotations": []}
    reasoning = {"type": "reasoning", "id": "x", "summary": [{"type": "summary_text", "text": QUESTION}]}
    result = {"type": "function_call_output", "call_id": "t1", "output": PYTHON}
    given: list[Any] = [
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}, image]},
        {"role": "developer", "content": QUESTION},
        {**said, "content": [written]},
        call,
        reasoning,
        {"type": "item_reference", "id": "x"},
        result,
        {**result, "simpy": "python"},
        {**result, "output": [{"type": "input_text", "text": PYTHON, "simpy": "python"}]},
    ]
    raw = client.responses.with_raw_response.create(model="m", input=given)
    assert upstream.seen[0].json["input"] == [
        {"role": "user", "content": [{"type": "input_text", "text": SENT}, image]},
        {"role": "developer", "content": SENT},
        {**said, "content": [{**written, "text": SENT}]},
        *given[3:6],
        {**result, "output": transpiler.encode(PYTHON)},
        {**result, "output": transpiler.encode(PYTHON)},
        {**result, "output": [{"type": "input_text", "text": transpiler.encode(PYTHON)}]},
    ]
    assert "x-simpy-notes" not in raw.headers and "x-simpy-converted" not in raw.headers


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_stream_says_the_same_in_all_its_events(upstream: Upstream, client: openai.OpenAI, size: int) -> None:
    upstream.reply = stream(events(RESPONSES, ANSWER, {"path": "a"}, "plain", size=size))
    deltas, parts, items, numbers = "", [], [], []
    for event in ask(client, stream=True):
        numbers.append(event.sequence_number)
        if event.type == "response.output_text.delta" and event.output_index == 0:
            deltas += event.delta
        elif event.type == "response.output_text.done":
            assert event.output_index or deltas == READ, "the end of the text came before its last piece"
            parts.append(event.text)
        elif event.type == "response.content_part.done":
            parts.append(event.part.text)
        elif event.type == "response.output_item.done" and event.item.type == "message":
            items.append(event.item.content[0].text)
    assert deltas == READ and parts == [READ, READ, "plain", "plain"] and items == [READ, "plain"]
    assert event.response.output_text == READ + "plain"
    assert numbers == sorted(set(numbers))


def test_the_clients_own_reader_of_streams(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = stream(*cut(events(RESPONSES, ANSWER, {"path": "a"}), 50))
    with client.responses.stream(model="m", input=QUESTION) as found:
        said = "".join(event.delta for event in found if event.type == "response.output_text.delta")
        final = found.get_final_response()
    assert said == final.output_text == READ
    assert json.loads(final.output[1].arguments) == {"path": "a"}  # type: ignore[union-attr]


def test_what_the_answer_repeats_is_the_persons(upstream: Upstream, client: openai.OpenAI) -> None:
    """A server repeats the instructions, as it got them."""
    answer = {**json.loads(whole(RESPONSES, "ok")), "instructions": SENT}
    upstream.reply = Reply([json.dumps(answer).encode()])
    assert ask(client, instructions=QUESTION).instructions == QUESTION


def test_refusals_and_unknown_events_pass_as_received(upstream: Upstream, servers: tuple[Upstream, str]) -> None:
    odd: list[dict[str, Any]] = [
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": ANSWER},
        {"type": "response.refusal.done", "output_index": 0, "content_index": 0, "refusal": ANSWER},
        {"type": "response.content_part.done", "output_index": 0, "content_index": 0, "part": {"type": "refusal", "refusal": ANSWER}},
        {"type": "response.reasoning_summary_text.delta", "delta": ANSWER},
        {"type": "response.new.delta", "delta": ANSWER},
        {"type": ["x"], "output_index": "y", "item": 7, "response": 8},
        {"type": "response.output_item.done", "output_index": -1, "item": {"type": ["function_call"]}},
        {"type": "response.completed", "response": {"output": [7, {"type": "message", "content": [7, {"type": []}]}]}},
        {"type": "response.output_text.delta", "delta": 7},
    ]
    data = b"".join(b"event: x\ndata: " + json.dumps(one).encode() + b"\n\n" for one in odd)
    upstream.reply = stream(data)
    with openai.OpenAI(base_url=servers[1], api_key="k", max_retries=0, timeout=LONG) as client:
        assert client.responses.with_raw_response.create(model="m", input="hello", stream=True).http_response.read() == data


def test_a_fault_is_reported_in_the_answer(upstream: Upstream, client: openai.OpenAI) -> None:
    broken = "```py\n<return>a<l>b??\n```"
    upstream.reply = Reply([whole(RESPONSES, broken)])
    raw = client.responses.with_raw_response.create(model="m", input="```py\ndef (:\n```")
    assert raw.headers["x-simpy-notes"] == "2" and len(raw.parse().model_dump()["simpy_notes"]) == 1
    upstream.reply = stream(events(RESPONSES, broken))
    last = list(ask(client, stream=True))[-1]
    assert len(last.response.model_dump()["simpy_notes"]) == 1 and last.response.output_text == "```py\nreturn a < b\n??\n```"


def test_a_stored_answer_is_converted(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = Reply([whole(RESPONSES, ANSWER)])
    assert client.responses.retrieve("r1").output_text == READ
    upstream.reply = stream(events(RESPONSES, ANSWER))
    assert list(client.responses.retrieve("r1", stream=True))[-1].response.output_text == READ  # type: ignore[union-attr]


def test_tokens_are_counted_of_what_the_model_sees(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = Reply([b'{ "object": "response.input_tokens", "input_tokens" : 7 }'])
    assert client.responses.input_tokens.count(model="m", input=QUESTION).input_tokens == 7
    assert upstream.seen[0].json["input"] == SENT


def test_padded_events_that_arrive_together_leave_as_few(upstream: Upstream, client: openai.OpenAI) -> None:
    """As OpenAI writes them: numbered, and padded so that their lengths say nothing. Two texts take turns in the second half."""
    pieces = [ANSWER[at : at + 3] for at in range(0, len(ANSWER), 3)]
    found = [
        {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": piece} for piece in pieces
    ]
    found += [{**event, "output_index": index} for event in found for index in (1, 2)]
    padded = [{**event, "sequence_number": number, "obfuscation": "x" * (number % 7)} for number, event in enumerate(found, 4)]
    upstream.reply = stream(
        b"".join(b"event: response.output_text.delta\ndata: " + json.dumps(event).encode() + b"\n\n" for event in padded)
    )
    texts, numbers = ["", "", ""], []
    for event in ask(client, stream=True):
        texts[event.output_index] += event.delta
        numbers.append(event.sequence_number)
    assert texts == [READ, READ, READ] and numbers == sorted(set(numbers))
    assert len(numbers) < len(padded)
