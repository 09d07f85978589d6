"""The arguments of tool calls in answers: held until they are whole and given to a hook where the request has one, untouched without."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest

from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import ConvertedRequest
from dualcode.server.apis.registry import APIS
from dualcode.server.convert import RequestConverter
from dualcode.server.sse import Event, EventReader
from tests.api_answers import ASKED, CHAT, MESSAGES, RESPONSES, events, whole
from tests.scripted_upstream import LONG, Reply, proxy_server, stream, upstream_server

ASKED_FOR: dict[str, Any] = {"path": "a.py", "old": "x=1"}
GIVEN: dict[str, Any] = {"path": "a.py", "old": "x = 1"}
SAID = ("Let me see. `", ASKED_FOR, {"path": "b.py"})


def edit(tool: str, arguments: str) -> str:
    """The hook of these tests."""
    assert tool == "edit" and isinstance(json.loads(arguments), dict)
    return arguments.replace("x=1", "x = 1")


def converter(path: str, give_back: Any = edit, **options: Any) -> AnswerConverter:
    request = RequestConverter("classic").convert(path, json.dumps(ASKED[path]).encode())
    request.give_back = give_back
    return AnswerConverter(request, APIS[path], **options)


def converted(path: str, sent: bytes, give_back: Any = edit, **options: Any) -> bytes:
    """A streamed answer as it reaches the client."""
    one = converter(path, give_back, **options)
    return one.events(EventReader().feed(sent)) + one.finish()


def parsed(found: bytes) -> list[dict[str, Any]]:
    data = [event.data for event in EventReader().feed(found)]
    return [json.loads(one) for one in data if one is not None and one != b"[DONE]"]


def arguments(path: str, event: dict[str, Any]) -> str:
    """What an event says of the arguments of the first call."""
    if path == CHAT:
        calls = event["choices"][0]["delta"].get("tool_calls", [])
        return "".join(call["function"]["arguments"] for call in calls if call["index"] == 0)
    if path == RESPONSES:
        return str(event["delta"]) if event["type"].endswith("arguments.delta") and event["output_index"] == 1 else ""
    return str(event["delta"].get("partial_json", "")) if event["type"] == "content_block_delta" and event["index"] == 1 else ""


@pytest.mark.parametrize("path", ASKED)
def test_a_whole_answer(path: str) -> None:
    assert json.loads(converter(path).whole(whole(path, *SAID))) == json.loads(whole(path, SAID[0], GIVEN, SAID[2]))
    assert converter(path, None).whole(whole(path, *SAID)) == whole(path, *SAID)


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_streamed_arguments_are_one_delta(path: str, size: int) -> None:
    sent = events(path, *SAID, size=size)
    found = parsed(converted(path, sent))
    pieces = [piece for piece in (arguments(path, event) for event in found) if piece]
    assert list(map(json.loads, pieces)) == [GIVEN]
    text = json.dumps(found)
    assert "x=1" not in text, "an event still holds what the model wrote"


@pytest.mark.parametrize("path", ASKED)
def test_arguments_pass_as_they_arrive_without_a_hook(path: str) -> None:
    sent = events(path, {"path": "a.py", "old": "x=1"}, "plain")
    assert converted(path, sent, None) == sent


@pytest.mark.parametrize("path", ASKED)
def test_arguments_that_break_off_pass_as_received(path: str) -> None:
    sent = events(path, *SAID[:2], finish=False, size=3)
    cut = sent[: sent.rindex(b"event:" if path != CHAT else b"data:")]  # the last piece is missing
    found = "".join(arguments(path, event) for event in parsed(converted(path, cut)))
    assert found and json.dumps(ASKED_FOR).startswith(found) and found != json.dumps(ASKED_FOR)


def failing(tool: str, arguments: str) -> str:
    raise ValueError("a bug")


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("hook", [failing, lambda tool, arguments: "no JSON", lambda tool, arguments: "7"])
def test_a_hook_that_fails_costs_nothing(path: str, hook: Any) -> None:
    found = parsed(converted(path, events(path, *SAID), hook))
    assert json.loads("".join(arguments(path, event) for event in found)) == ASKED_FOR
    one = converter(path, hook)
    assert json.loads(one.whole(whole(path, ASKED_FOR))) == {
        **json.loads(whole(path, ASKED_FOR)),
        **({"simpy_notes": one.notes} if one.notes else {}),
    }
    assert bool(one.notes) == (hook is failing)


@pytest.mark.parametrize("path", ASKED)
def test_very_long_arguments_pass_as_they_arrive(path: str) -> None:
    found = parsed(converted(path, events(path, *SAID, size=3), limit=10))
    pieces = [piece for piece in (arguments(path, event) for event in found) if piece]
    assert len(pieces) > 2 and json.loads("".join(pieces)) == ASKED_FOR


def test_a_call_in_one_event_with_the_end_of_the_answer() -> None:
    """Some servers write a call as a whole; its arguments must not come before its name."""
    call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "edit", "arguments": json.dumps(ASKED_FOR)}}
    event = {"choices": [{"index": 0, "delta": {"content": "`", "tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    found = parsed(converter(CHAT).event(Event(b"data: " + json.dumps(event).encode() + b"\n\n")))
    call["function"]["arguments"] = json.dumps(GIVEN)  # type: ignore[index]
    assert found == [event]


def test_the_calls_of_older_and_of_other_forms() -> None:
    legacy = {"choices": [{"message": {"function_call": {"name": "edit", "arguments": json.dumps(ASKED_FOR)}}}]}
    assert b"x = 1" in converter(CHAT).whole(json.dumps(legacy).encode())
    patch = {"type": "custom_tool_call", "name": "edit", "call_id": "t", "input": "old: x=1"}
    operation = {"type": "apply_patch_call", "call_id": "t", "operation": {"type": "update_file", "diff": "-x=1"}}

    def hook(tool: str, arguments: str) -> str:
        assert (tool, list(json.loads(arguments))) in [("edit", ["input"]), ("apply_patch", ["type", "diff"])]
        return arguments.replace("x=1", "x = 1")

    found = json.loads(converter(RESPONSES, hook).whole(json.dumps({"output": [patch, operation]}).encode()))
    assert found["output"] == [{**patch, "input": "old: x = 1"}, {**operation, "operation": {"type": "update_file", "diff": "-x = 1"}}]
    custom = {"index": 0, "id": "t", "type": "custom", "custom": {"name": "edit", "input": ""}}
    deltas: list[Any] = [custom, {"index": 0, "custom": {"input": "old: x"}}, {"index": 0, "custom": {"input": "=1"}}]
    sent = b"".join(
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [one]}}]}).encode() + b"\n\n" for one in deltas
    )
    last = parsed(converted(CHAT, sent, hook))[-1]
    assert last["choices"][0]["delta"]["tool_calls"] == [{"index": 0, "custom": {"input": "old: x = 1"}}]


def test_calls_through_the_official_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    read = RequestConverter.read

    def with_hook(self: RequestConverter, *given: Any, **options: Any) -> ConvertedRequest:
        found = read(self, *given, **options)
        found.give_back = edit
        return found

    monkeypatch.setattr(RequestConverter, "read", with_hook)
    with (
        upstream_server() as (app, url),
        proxy_server(url, dialect="classic") as proxy,
        openai.OpenAI(base_url=proxy, api_key="k", max_retries=0, timeout=LONG) as theirs,
        anthropic.Anthropic(base_url=proxy.removesuffix("/v1"), api_key="k", max_retries=0, timeout=LONG) as other,
    ):
        app.reply = stream(events(RESPONSES, *SAID))
        with theirs.responses.stream(model="m", input="hello") as found:
            list(found)
            assert json.loads(found.get_final_response().output[1].arguments) == GIVEN  # type: ignore[union-attr]
        app.reply = stream(events(MESSAGES, *SAID))
        with other.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "hello"}]) as said:
            assert said.get_final_message().content[1].input == GIVEN  # type: ignore[union-attr]
        app.reply = stream(events(CHAT, *SAID))
        with theirs.chat.completions.stream(model="m", messages=[{"role": "user", "content": "hello"}]) as chat:
            list(chat)
            calls = chat.get_final_completion().choices[0].message.tool_calls
        assert calls and [json.loads(call.function.arguments) for call in calls] == [GIVEN, SAID[2]]
        app.reply = Reply([whole(MESSAGES, *SAID)])
        answer = other.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hello"}])
        assert answer.content[1].input == GIVEN  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ASKED)
def test_events_that_may_end_a_call_are_known(path: str) -> None:
    """They are converted in a thread, since giving back takes long; all others at once."""
    sent = events(path, *SAID)
    one = converter(path)
    assert not one.may_take_long(b'data: {"delta": "only a text"}\n\n')
    assert one.may_take_long(sent)
    one.events(EventReader().feed(events(path, ASKED_FOR, finish=False)))
    assert one.may_take_long(b"any event")
    assert not converter(path, None).may_take_long(sent)


@pytest.mark.parametrize("end", ["```\n", "```"])
@pytest.mark.parametrize("path", ASKED)
def test_events_that_may_end_a_long_block_are_known(path: str, end: str) -> None:
    """A block of compact code is converted as a whole: in a thread if it is long, so that other streams go on meanwhile."""
    code = "".join(f"def f{number}(a,b):return[a,b]\n" for number in range(40))
    for body, is_long in ((code, True), ("x=[1,2]\n", False)):
        request = RequestConverter("compact").convert(path, json.dumps(ASKED[path]).encode())
        assert request.api is not None
        one = AnswerConverter(request, request.api)
        read = EventReader()
        taken, out = [], b""
        for event in events(path, f"See:\n```python\n{body}{end}", size=7).split(b"\n\n"):
            taken.append(one.may_take_long(event))
            ended = b"return [a, b]" in out
            out += one.events(read.feed(event + b"\n\n" if event else event))
            if b"return [a, b]" in out and not ended:
                assert taken[-1], "a long block has ended in an event that was not known to take long"
        assert is_long == (b"return [a, b]" in out)
        assert is_long == any(taken) and sum(taken) <= 5
