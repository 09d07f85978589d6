"""Edits of shortened files through the proxy: the agent's tool gets the person's bytes, whatever API the agent speaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dualcode.conversion.tool_calls import Counts, EditTool
from dualcode.server.answers import AnswerConverter
from dualcode.server.apis.protocol import ConvertedRequest
from dualcode.server.apis.registry import APIS
from dualcode.server.convert import RequestConverter
from dualcode.server.sse import EventReader
from tests.api_answers import CHAT, MESSAGES, RESPONSES, events, whole

FILE = "import os\n\n\ndef f(a, b):  # of f\n    return g(a,  # first\n             b)\n\n\ndef g(a, b):\n    return a + b\n"
SEEN = "def f(a,b):# of f\n return g(a,# first\n  b)\n"
READ = {"filePath": "a.py"}


def edit(old: str, new: str) -> dict[str, str]:
    return {"filePath": "/home/me/a.py", "oldString": old, "newString": new}


def chat(*turns: tuple[str, dict[str, str], str]) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Change it."}]
    for at, (tool, arguments, result) in enumerate(turns):
        call = {"id": f"t{at}", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        messages += [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": f"t{at}", "content": result}]
    return {"model": "m", "messages": messages}


def responses(*turns: tuple[str, dict[str, str], str]) -> dict[str, Any]:
    items: list[dict[str, Any]] = [{"role": "user", "content": "Change it."}]
    for at, (tool, arguments, result) in enumerate(turns):
        items += [
            {"type": "function_call", "call_id": f"t{at}", "name": tool, "arguments": json.dumps(arguments)},
            {"type": "function_call_output", "call_id": f"t{at}", "output": result},
        ]
    return {"model": "m", "input": items}


def messages(*turns: tuple[str, dict[str, str], str]) -> dict[str, Any]:
    found: list[dict[str, Any]] = [{"role": "user", "content": "Change it."}]
    for at, (tool, arguments, result) in enumerate(turns):
        found += [
            {"role": "assistant", "content": [{"type": "tool_use", "id": f"t{at}", "name": tool, "input": arguments}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{at}", "content": result}]},
        ]
    return {"model": "m", "max_tokens": 9, "messages": found}


CONVERSATIONS: dict[str, Callable[..., dict[str, Any]]] = {CHAT: chat, RESPONSES: responses, MESSAGES: messages}


def asked(path: str, *turns: tuple[str, dict[str, str], str], **options: Any) -> ConvertedRequest:
    return RequestConverter("compact", **options).convert(path, json.dumps(CONVERSATIONS[path](*turns)).encode())


def called(path: str, answer: dict[str, Any]) -> dict[str, str]:
    """The arguments of the call of a whole answer."""
    if path == CHAT:
        return dict(json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]))
    if path == RESPONSES:
        return dict(json.loads(next(item for item in answer["output"] if item["type"] == "function_call")["arguments"]))
    return dict(next(block for block in answer["content"] if block["type"] == "tool_use")["input"])


def streamed(path: str, received: bytes) -> dict[str, str]:
    """The arguments of the call of a streamed answer."""
    pieces: list[str] = []
    for event in EventReader().feed(received):
        found = json.loads(event.data) if event.data and event.data != b"[DONE]" else {}
        if path == CHAT:
            pieces += [
                call["function"]["arguments"] for choice in found.get("choices", []) for call in choice["delta"].get("tool_calls", [])
            ]
        elif path == RESPONSES:
            pieces += [found["delta"]] if str(found.get("type")).endswith("arguments.delta") else []
        else:
            pieces += [found["delta"]["partial_json"]] if "partial_json" in found.get("delta", {}) else []
    return dict(json.loads("".join(pieces)))


def given_back(path: str, make: Callable[[], ConvertedRequest], arguments: dict[str, str]) -> dict[str, str]:
    """What becomes of a call, streamed and not, which must be the same."""
    found = called(path, json.loads(AnswerConverter(make(), APIS[path]).whole(whole(path, arguments))))
    answer = AnswerConverter(make(), APIS[path])
    assert streamed(path, answer.events(EventReader().feed(events(path, arguments, size=7))) + answer.finish()) == found
    return found


@pytest.mark.parametrize("path", CONVERSATIONS)
def test_a_quote_of_shortened_code_is_given_back(path: str) -> None:
    request = asked(path, ("read", READ, FILE))
    assert [piece.python for piece in request.shortened] == [FILE] and SEEN in request.shortened[0].sent
    answer = AnswerConverter(request, APIS[path])
    found = called(path, json.loads(answer.whole(whole(path, edit(SEEN, SEEN.replace("a,b):", "a,b,c):"))))))
    assert FILE.count(found["oldString"]) == 1
    assert FILE.replace(found["oldString"], found["newString"]) == FILE.replace("def f(a, b):", "def f(a, b, c):")
    assert request.edits == Counts(asked=1, given_back=1) and answer.notes == []


@pytest.mark.parametrize("path", CONVERSATIONS)
def test_edits_that_were_made_before_are_known(path: str) -> None:
    made = edit("    return a + b\n", "    return a - b\n")
    found = given_back(path, lambda: asked(path, ("read", READ, FILE), ("edit", made, "done")), edit(" return a-b", " return a*b"))
    assert FILE.replace("a + b", "a - b").replace(found["oldString"], found["newString"]) == FILE.replace("a + b", "a * b")


@pytest.mark.parametrize("path", CONVERSATIONS)
def test_what_was_not_shown_stays_with_a_note(path: str) -> None:
    request = asked(path, ("read", READ, FILE))
    arguments = edit("def h(x):pass", "def h(y):pass")
    answer = AnswerConverter(request, APIS[path])
    assert called(path, json.loads(answer.whole(whole(path, arguments)))) == arguments
    assert request.edits == Counts(asked=1, not_found=1) and len(answer.notes) == 1 and "edit" in answer.notes[0]


@pytest.mark.parametrize("path", CONVERSATIONS)
def test_nothing_is_held_where_nothing_was_shortened(path: str) -> None:
    assert asked(path, ("read", READ, "no Python")).give_back is None
    assert asked(path, ("read", READ, FILE)).give_back is not None


def test_tools_of_the_user() -> None:
    own = EditTool("mine", ("edit",), path="filePath", old="before", new="after")
    asking = {"filePath": "a.py", "before": " return a+b", "after": " return a-b"}
    found = given_back(CHAT, lambda: asked(CHAT, ("read", READ, FILE), edit_tools=(own,)), asking)
    assert FILE.replace(found["before"], found["after"]) == FILE.replace("a + b", "a - b")


def test_a_failed_call_of_the_conversation_was_not_made() -> None:
    request = messages(("read", READ, FILE), ("edit", edit("    return a + b\n", "    return a - b\n"), "error"))
    request["messages"][-1]["content"][0]["is_error"] = True
    body = json.dumps(request).encode()
    found = given_back(MESSAGES, lambda: RequestConverter("compact").convert(MESSAGES, body), edit(" return a+b", " return a*b"))
    assert FILE.replace(found["oldString"], found["newString"]) == FILE.replace("a + b", "a * b")
