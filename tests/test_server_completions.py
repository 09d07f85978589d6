"""`simpy serve` for completions: the prompt as SimPy, the answer joined on to the Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from dualcode.conversion.prompts import Prompt
from tests.scripted_upstream import LONG, Reply, Upstream, proxy_server, stream, upstream_server

PROMPT = "def f(a):\n  if a:\n    return a +"
ANSWER = "1<block_end><return>0<block_end><def_stmt>g<block_start><pass><block_end>"
PYTHON = " 1\n  return 0\n\n\ndef g():\n  pass\n"


def answers(*texts: str) -> Reply:
    choices = [{"index": index, "text": text, "finish_reason": "stop", "logprobs": None} for index, text in enumerate(texts)]
    return Reply([json.dumps({"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": choices}).encode()])


def events(text: str, size: int, *, finish: bool = True) -> Reply:
    pieces: list[tuple[str, str | None]] = [(text[at : at + size], None) for at in range(0, len(text), size)]
    pieces += [("", "stop")] if finish else []
    found = b""
    for piece, reason in pieces:
        choice = {"index": 0, "text": piece, "finish_reason": reason, "logprobs": None}
        found += b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"
    return stream(found + b"data: [DONE]\n\n")


def complete(client: openai.OpenAI, prompt: Any = PROMPT, **options: Any) -> Any:
    return client.completions.create(model="m", prompt=prompt, **options)


def test_the_answer_joins_on(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = answers(ANSWER)
    assert complete(client).choices[0].text == PYTHON
    assert (
        upstream.seen[0].json["prompt"] == Prompt(PROMPT, "classic").sent == "<def_stmt>f a<block_start><if_stmt>a<block_start><return>a+"
    )


@pytest.mark.parametrize("finish", [True, False])
def test_a_stream_equals_the_whole(upstream: Upstream, client: openai.OpenAI, finish: bool) -> None:
    for size in range(1, len(ANSWER) + 1):
        upstream.reply = events(ANSWER, size, finish=finish)
        assert "".join(chunk.choices[0].text for chunk in complete(client, stream=True)) == PYTHON, f"pieces of {size} characters"


def test_several_prompts_and_answers(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = answers("b", "c", "a<l>b", "d")
    found = complete(client, ["return a +", "x = "], n=2)
    assert [choice.text for choice in found.choices] == [" b\n", " c\n", "a < b\n", "d\n"]


def test_an_echoed_prompt_is_the_persons(upstream: Upstream, client: openai.OpenAI) -> None:
    sent = Prompt(PROMPT, "classic").sent
    upstream.reply = answers(sent + ANSWER)
    assert complete(client, echo=True).choices[0].text == PROMPT + PYTHON
    upstream.reply = events(sent + ANSWER, 3)
    assert "".join(chunk.choices[0].text for chunk in complete(client, echo=True, stream=True)) == PROMPT + PYTHON
    upstream.reply = answers("another " + ANSWER)
    found = complete(client, echo=True)
    assert found.choices[0].text == "another " + ANSWER and len(found.model_dump()["simpy_notes"]) == 1


def test_stop_texts_are_those_of_the_python(upstream: Upstream, client: openai.OpenAI) -> None:
    stop = ["\ndef", "\nclass"]
    for size in (1, 3, len(ANSWER)):
        upstream.reply = events(ANSWER, size)
        found = "".join(chunk.choices[0].text for chunk in complete(client, stop=stop, stream=True))
        assert found == PYTHON.partition("\ndef")[0]
    assert upstream.seen[0].json["stop"] == stop


def test_what_is_no_python_goes_through(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = answers("<block_end>")
    raw = client.completions.with_raw_response.create(model="m", prompt="Once upon a time, (there")
    assert raw.headers["x-simpy-notes"] == "1" and raw.parse().choices[0].text == "<block_end>"
    assert upstream.seen[0].json["prompt"] == "Once upon a time, (there"
    complete(client, [1, 2, 3])
    assert upstream.seen[1].json["prompt"] == [1, 2, 3]
    upstream.reply = answers("1")
    raw = client.completions.with_raw_response.create(model="m", prompt="x = ", suffix=" ?? (")
    assert raw.headers["x-simpy-notes"] == "1"
    assert (upstream.seen[2].json["prompt"], upstream.seen[2].json["suffix"]) == ("x=", " ?? (")


def test_a_gap_is_filled(upstream: Upstream, client: openai.OpenAI) -> None:
    prompt, suffix = "def f(a):\n  if a:\n    ", "\n  return 0\n"
    answer = "b()<if_stmt>c<block_start>d()<block_end>"
    upstream.reply = answers(answer)
    raw = client.completions.with_raw_response.create(model="m", prompt=prompt, suffix=suffix)
    assert raw.parse().choices[0].text == "b()\n    if c:\n      d()" and "x-simpy-notes" not in raw.headers
    seen = upstream.seen[0].json
    assert (seen["prompt"], seen["suffix"]) == ("<def_stmt>f a<block_start><if_stmt>a<block_start>", "<block_end><return>0<block_end>")
    for size in (1, 4, len(answer)):
        upstream.reply = events(answer, size)
        found = complete(client, prompt, suffix=suffix, stream=True)
        assert "".join(chunk.choices[0].text for chunk in found) == "b()\n    if c:\n      d()"


def test_one_suffix_for_several_prompts(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.reply = answers("1", "2")
    found = complete(client, ["x = f(", "y = g("], suffix=")\n")
    assert [choice.text for choice in found.choices] == ["1", "2"] and upstream.seen[0].json["suffix"] == ")"
    raw = client.completions.with_raw_response.create(model="m", prompt=["x = f(1)\n", "def f():\n    x = 1\n"], suffix="y = 1\n")
    assert raw.headers["x-simpy-notes"] == "1" and upstream.seen[1].json["prompt"] == ["x = f(1)\n", "def f():\n    x = 1\n"]
    complete(client, "x = 1", suffix=7)
    assert upstream.seen[2].json["suffix"] == 7


@contextmanager
def client_of(**settings: Any) -> Iterator[tuple[Upstream, openai.OpenAI]]:
    with (
        upstream_server() as (app, url),
        proxy_server(url, **settings) as proxy,
        openai.OpenAI(base_url=proxy, api_key="k", max_retries=0, timeout=LONG) as client,
    ):
        yield app, client


def test_errors_instead_of_notes_where_asked_for() -> None:
    def chat(client: openai.OpenAI, text: str, **options: Any) -> Any:
        return client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}], **options)

    with client_of(dialect="classic", on_error="raise") as (app, client):
        with pytest.raises(openai.UnprocessableEntityError, match="not the beginning of a Python program"):
            complete(client, "Once upon a time, (there")
        with pytest.raises(openai.UnprocessableEntityError, match="error"):
            chat(client, "```python\ndef (:\n```\n")
        assert not app.seen
        choice = {"index": 0, "delta": {"content": "```python\n<return>a?!\n```\n"}, "finish_reason": "stop"}
        app.reply = stream(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
        with pytest.raises(openai.APIError, match="error"):
            list(chat(client, "hello", stream=True))
        app.reply = Reply([json.dumps({"choices": [{"index": 0, "message": {"content": choice["delta"]["content"]}}]}).encode()])  # type: ignore[index]
        with pytest.raises(openai.UnprocessableEntityError, match="error"):
            chat(client, "hello")


def test_bare_code_where_asked_for() -> None:
    with client_of(dialect="classic", bare=True) as (app, client):
        app.reply = Reply([b'{"choices": [{"index": 0, "message": {"content": "<return>a<l>b<line_sep>"}}]}'])
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "def f(a):\n    return a\n"}])
        assert app.seen[0].json["messages"][0]["content"].startswith("<def_stmt>f a<block_start><return>a")
        assert str(answer.choices[0].message.content).startswith("return a < b\n")


def test_compact_prompts_are_the_persons_own() -> None:
    with client_of() as (app, client):
        app.reply = answers(" 1\n")
        assert complete(client, "x = ", suffix="\n").choices[0].text == " 1\n"
        assert app.seen[0].json["prompt"] == "x = "
