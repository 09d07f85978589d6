"""Requests and answers of the proxy without a network: which bytes of which endpoint change, and what is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

import transpiler
from dualcode.conversion.streams import Echoing, Stopping, Unchanged
from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import ConvertedRequest
from dualcode.server.apis.registry import APIS
from dualcode.server.convert import NOT_JSON, OTHER_PATH, RequestConverter
from dualcode.server.sse import Event
from simpy_grammar.errors import PythonSyntaxError, SimPySyntaxError

CHAT, COMPLETIONS = "/chat/completions", "/completions"
PYTHON = "if a < b:\n    c = 1\n"
SIMPY = transpiler.encode(PYTHON)
PROMPT, SENT = "def f(a):\n    return a +", "<def_stmt>f a<block_start><return>a+"


def convert(path: str, request: Any, **options: Any) -> ConvertedRequest:
    return RequestConverter("classic", **options).convert(path, json.dumps(request).encode())


def completion(**request: Any) -> tuple[dict[str, Any], ConvertedRequest]:
    """The request as the model sees it, and how its answer is converted."""
    converted = convert(COMPLETIONS, request)
    return json.loads(converted.body), converted


@pytest.mark.parametrize("path", ["/embeddings", "/responses/x", "/messages/batches", "/chat", "/completions/x", ""])
def test_other_paths_pass_as_received(path: str) -> None:
    body = json.dumps({"prompt": PROMPT, "messages": [{"role": "user", "content": f"```py\n{PYTHON}```"}]}).encode()
    found = RequestConverter("classic").convert(path, body)
    assert (found.body, found.api, found.unconverted, found.notes, found.texts.sent) == (body, None, OTHER_PATH, [], [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b'{"messages": NaN}', b'{"x": 1e999, "prompt": "x = "}'])
@pytest.mark.parametrize("path", APIS)
def test_what_is_not_understood_passes_as_received(path: str, body: bytes) -> None:
    found = RequestConverter("classic").convert(path, body)
    assert (found.body, found.api, found.unconverted) == (body, None, NOT_JSON)


def test_a_request_without_python_keeps_its_bytes() -> None:
    body = b'{ "model":"m" ,"messages" : [ {"role":"user","content":"gr\\u00fc\\u00dfe"} ], "x": 1.50 }'
    found = RequestConverter("classic").convert(CHAT, body)
    assert (found.body, found.api, found.texts.python) == (body, APIS[CHAT], ["grüße"])


@pytest.mark.parametrize("numbers", [False, True])
def test_definitions_behind_line_numbers_are_numbered_unless_nobody_wants_it(numbers: bool) -> None:
    listing = "    41\tdef f(a, b):\n    42\t    return [a, b]\n    43\t\n"
    body = json.dumps({"messages": [{"role": "user", "content": listing}]}).encode()
    found = RequestConverter("compact", numbers=numbers).convert(CHAT, body)
    assert json.loads(found.body)["messages"][0]["content"] == "41:" * numbers + "def f(a,b):return [a,b]\n"


def test_only_the_texts_of_a_chat_change() -> None:
    request = {"model": "m", "messages": [{"role": "user", "content": f"```py\n{PYTHON}```"}], "n": 2, "extra": [1, {"content": PYTHON}]}
    found = convert(CHAT, request)
    seen = json.loads(found.body)
    assert list(seen) == list(request)
    assert seen.pop("messages")[0]["content"] == f"```py\n{SIMPY}\n```"
    assert seen == {key: value for key, value in request.items() if key != "messages"}
    assert convert(CHAT, request).body == found.body, "the same request, other bytes"


def test_the_answer_of_a_completion_joins_on() -> None:
    seen, found = completion(prompt=PROMPT, max_tokens=7)
    assert seen == {"prompt": SENT, "max_tokens": 7}
    stream = found.stream(0)
    assert stream.feed("b<block_end>") + stream.close() == " b\n"


def test_each_prompt_has_its_answers() -> None:
    seen, found = completion(prompt=["return a +", "x = "], n=2)
    assert seen["prompt"] == ["<return>a+", "x="]
    answers = []
    for index in range(4):
        stream = found.stream(index)
        answers.append(stream.feed("b") + stream.close())
    assert answers == [" b\n", " b\n", "b\n", "b\n"]


@pytest.mark.parametrize("prompt", [None, 7, [1, 2, 3], [[1], [2]], ["x = ", 7], {"text": "x = "}])
def test_prompts_that_are_not_texts_pass_as_received(prompt: Any) -> None:
    seen, found = completion(prompt=prompt)
    assert (seen, found.api) == ({"prompt": prompt}, None)


@pytest.mark.parametrize("suffix", [None, 7, ["x"]])
def test_a_suffix_that_is_not_a_text_passes_as_received(suffix: Any) -> None:
    seen, found = completion(prompt=PROMPT, suffix=suffix)
    assert seen == {"prompt": SENT, "suffix": suffix}
    assert found.notes == []


def test_a_suffix_is_converted_with_its_prompt() -> None:
    seen, found = completion(prompt="def f(a):\n    for x in a:\n        ", suffix="\n    return a\n")
    assert seen == {"prompt": "<def_stmt>f a<block_start><for_stmt>x a<block_start>", "suffix": "<block_end><return>a<block_end>"}
    stream = found.stream(0)
    assert stream.feed("b()") + stream.close() == "b()"


def test_one_suffix_that_goes_on_in_several_ways_passes_with_a_note() -> None:
    prompts = ["x = f(1)\n", "def f():\n    x = 1\n"]
    seen, found = completion(prompt=prompts, suffix="y = 1\n")
    assert seen == {"prompt": prompts, "suffix": "y = 1\n"}
    assert found.notes == ["line 1: not converted: one suffix that goes on with several prompts in several ways"]


def test_the_options_of_a_completion_wrap_its_stream() -> None:
    assert isinstance(completion(prompt=PROMPT, stop=["\n"])[1].stream(0), Stopping)
    assert isinstance(completion(prompt=PROMPT, stop="\n", echo=True)[1].stream(0), Echoing)
    assert isinstance(completion(prompt="Once upon a time, (there", stop="\n")[1].stream(0), Unchanged)
    stream = completion(prompt=PROMPT, stop=["\n"], echo=True)[1].stream(0)
    assert stream.feed(f"{SENT}b<block_end><return>c") + stream.close() == f"{PROMPT} b"
    assert stream.ended


def test_faults_are_raised_where_asked_for() -> None:
    with pytest.raises(PythonSyntaxError):
        convert(COMPLETIONS, {"prompt": "Once upon a time, (there"}, on_error="raise")
    with pytest.raises(PythonSyntaxError):
        convert(CHAT, {"messages": [{"role": "user", "content": "```py\ndef (:\n```"}]}, on_error="raise")


# ---------------------------------------------------------------------------------------------------------------- answers

REPLY = f"So:\n```py\n{SIMPY}\n```\n"
READ = f"So:\n```py\n{PYTHON}```\n"


def chat(**options: Any) -> AnswerConverter:
    return AnswerConverter(convert(CHAT, {"messages": []}, **options), APIS[CHAT])


def answer(*contents: Any) -> dict[str, Any]:
    choices = [{"index": index, "message": {"content": content}, "logprobs": None} for index, content in enumerate(contents)]
    return {"id": "c", "choices": choices, "usage": {"total_tokens": 3}}


def event(**choice: Any) -> Event:
    return Event(b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n")


def test_a_whole_answer_is_converted() -> None:
    converter = chat()
    expected = answer(READ, "plain", [{"type": "text", "text": READ}, {"type": "image"}])
    assert json.loads(
        converter.whole(json.dumps(answer(REPLY, "plain", [{"type": "text", "text": REPLY}, {"type": "image"}])).encode())
    ) == (expected)
    assert converter.notes == []
    assert (converter.texts.sent, converter.texts.python) == ([REPLY, "plain", REPLY], [READ, "plain", READ])


def test_an_answer_without_simpy_keeps_its_bytes() -> None:
    body = b'{ "choices" : [ {"message": {"content":"plain"} , "index":0} ], "odd": 1.50 }'
    assert chat().whole(body) == body


def test_a_fault_in_an_answer_is_reported_in_it() -> None:
    converter = chat()
    found = json.loads(converter.whole(json.dumps(answer("```py\n<return>a<l>b??\n```")).encode()))
    assert found["simpy_notes"] == converter.notes != []
    assert found["choices"][0]["message"]["content"] == "```py\nreturn a < b\n??\n```"
    with pytest.raises(SimPySyntaxError):
        chat(on_error="raise").whole(json.dumps(answer("```py\n<return>a<l>b??\n```")).encode())


def test_an_answer_that_is_not_json_passes_with_a_note() -> None:
    converter = chat()
    assert (converter.whole(b"{"), converter.notes) == (b"{", ["not converted: an answer that is not JSON"])


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("together", [True, False])
def test_events_join_to_the_whole(size: int, together: bool) -> None:
    converter = chat()
    events = [event(index=0, delta={"content": REPLY[at : at + size]}) for at in range(0, len(REPLY), size)]
    out = converter.events(events) if together else b"".join(converter.event(one) for one in events)
    out += converter.event(event(index=0, delta={}, finish_reason="stop"))
    chunks = [json.loads(line[6:]) for line in out.split(b"\n\n") if line]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == READ
    assert "".join(converter.texts.python) == READ


def test_what_is_held_comes_before_the_end() -> None:
    converter = chat()
    assert converter.event(event(index=0, delta={"content": "So:\n``"})) != b""
    done = converter.event(Event(b"data: [DONE]\n\n"))
    assert done.endswith(b"data: [DONE]\n\n") and b'"content":"``"' in done
    assert converter.finish() == b"", "given twice"


@pytest.mark.parametrize("data", [b": comment\n\n", b"data: {\n\n", b"data: 7\n\n", b"id: 1\n\n", b'data: {"choices": 7}\n\n'])
def test_events_without_text_pass_as_received(data: bytes) -> None:
    assert chat().event(Event(data)) == data
