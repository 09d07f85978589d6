"""Messages of a chat: wrapper and proxy send the model the same, convert what they should and report the rest."""

from __future__ import annotations

import copy
import json
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dualcode import DualCode, PythonCode
from dualcode.backends.protocol import CHAT, Request
from dualcode.conversion.messages import MEDIA_PARTS, MessageConverter
from dualcode.server.convert import RequestConverter
from simpy_grammar.errors import PythonSyntaxError

PYTHON, SIMPY = "if a:\n    b\n", "<if_stmt>a<block_start>b<block_end>"
FENCED, FENCED_SIMPY = f"See:\n```py\n{PYTHON}```\n", f"See:\n```py\n{SIMPY}\n```\n"
BROKEN = "```python\ndef (:\n```\n"
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
MARKED = {"simpy": "python"}


class Listener:
    """A model that answers nothing and remembers what it was asked."""

    tasks = frozenset((CHAT,))

    def __init__(self) -> None:
        self.seen: Any = None

    def run(self, request: Request) -> Generator[str, None, None]:
        self.seen = request.messages
        yield ""

    def arun(self, request: Request) -> Any:
        raise NotImplementedError

    def count(self, text: str) -> int | None:
        return None


def wrapper_sends(messages: list[Any], **options: Any) -> tuple[Any, list[str]]:
    """What the model gets from the wrapper, and the notes."""
    model = Listener()
    result = DualCode(model, dialect="classic", **options).chat(messages)
    return model.seen, list(map(str, result.notes))


def proxy_sends(messages: list[Any], *, tool_results: bool = True, **options: Any) -> tuple[Any, list[str]]:
    """What the model gets from the proxy, and the notes."""
    body = json.dumps({"messages": messages}).encode()
    request = RequestConverter("classic", **options).convert("/chat/completions", body, tool_results=tool_results)
    return json.loads(request.body)["messages"], request.notes


def both_send(messages: list[Any], **options: Any) -> tuple[Any, list[str]]:
    """What wrapper and proxy send, after seeing that it is the same and that the caller's messages did not change."""
    kept = copy.deepcopy(messages)
    found = wrapper_sends(messages, **options)
    assert found == proxy_sends(messages, **options)
    assert messages == kept
    return found


def user(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **fields}


def tool(content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": "1", "content": content, **fields}


def text(content: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": content, **fields}


# message, what the model sees, what is reported
CASES: dict[str, tuple[Any, Any, list[str]]] = {
    "text": (user(FENCED), user(FENCED_SIMPY), []),
    "developer": ({"role": "developer", "content": FENCED}, {"role": "developer", "content": FENCED_SIMPY}, []),
    "text part": (user([text(FENCED), IMAGE]), user([text(FENCED_SIMPY), IMAGE]), []),
    "input text": (user([{"type": "input_text", "text": FENCED}]), user([{"type": "input_text", "text": FENCED_SIMPY}]), []),
    "same text twice": (user([text(FENCED), text(FENCED)]), user([text(FENCED_SIMPY), text(FENCED_SIMPY)]), []),
    "tool": (tool(FENCED), tool(FENCED_SIMPY), []),
    "no content": ({"role": "assistant", "content": None, "tool_calls": []}, {"role": "assistant", "content": None, "tool_calls": []}, []),
    "broken code": (user(BROKEN), user(BROKEN), ["message 1, line 2: not converted: invalid syntax"]),
    "broken code in a part": (
        user([IMAGE, text(BROKEN)]),
        user([IMAGE, text(BROKEN)]),
        ["message 1, part 2, line 2: not converted: invalid syntax"],
    ),
    "mark": (tool(PYTHON, **MARKED), tool(SIMPY), []),
    "mark on a part": (tool([text(PYTHON, **MARKED), text("two words")]), tool([text(SIMPY), text("two words")]), []),
    "mark on a message with parts": (tool([text(PYTHON), IMAGE], **MARKED), tool([text(SIMPY), IMAGE]), []),
    "mark with another value": (tool("two words", simpy="other"), tool("two words", simpy="other"), []),
    "mark that is a list": (tool("two words", simpy=["python"]), tool("two words", simpy=["python"]), []),
    "mark on words": (tool("two words", **MARKED), tool("two words"), ["message 1, line 1: not converted: invalid syntax"]),
    "mark without a text": (
        tool(None, **MARKED),
        tool(None),
        ["message 1, line 1: not converted: a message without a text"],
    ),
    "text that is a list": (
        user([text(["x"])]),
        user([text(["x"])]),
        ["message 1, part 1, line 1: not converted: a part of type 'text' whose text is not a string"],
    ),
    "text that is missing": (
        user([{"type": "text"}]),
        user([{"type": "text"}]),
        ["message 1, part 1, line 1: not converted: a part of type 'text' whose text is not a string"],
    ),
    "file": (
        user([{"type": "file", "text": FENCED, "file": {"filename": "a.py"}}]),
        user([{"type": "file", "text": FENCED, "file": {"filename": "a.py"}}]),
        ["message 1, part 1, line 1: not converted: a part of type 'file'"],
    ),
    "marked file": (
        user([{"type": "file", "text": PYTHON, **MARKED}]),
        user([{"type": "file", "text": PYTHON}]),
        ["message 1, part 1, line 1: not converted: a part of type 'file'"],
    ),
    "type that is a list": (
        user([{"type": ["text"], "text": FENCED}]),
        user([{"type": ["text"], "text": FENCED}]),
        ["message 1, part 1, line 1: not converted: a part without a type"],
    ),
    "parts that are not objects": (
        user([None, FENCED, ["x"], 7]),
        user([None, FENCED, ["x"], 7]),
        [f"message 1, part {part}, line 1: not converted: a part that is not an object" for part in (1, 2, 3, 4)],
    ),
    "content that is an object": (
        user({"text": FENCED}),
        user({"text": FENCED}),
        ["message 1, line 1: not converted: a message without a text"],
    ),
    "role that is a list": ({"role": ["user"], "content": FENCED}, {"role": ["user"], "content": FENCED}, []),
    "message that is a list": ([FENCED], [FENCED], ["message 1, line 1: not converted: a message that is not an object"]),
    "message that is nothing": (None, None, ["message 1, line 1: not converted: a message that is not an object"]),
}


@pytest.mark.parametrize("name", CASES)
def test_wrapper_and_proxy_send_the_same(name: str) -> None:
    message, seen, notes = CASES[name]
    assert both_send([message]) == ([seen], notes)


def test_notes_name_the_message() -> None:
    messages = [case[0] for case in CASES.values()]
    sent, notes = both_send(messages)
    assert sent == [case[1] for case in CASES.values()]
    expected = [note.replace("message 1", f"message {number}") for number, (_, _, found) in enumerate(CASES.values(), 1) for note in found]
    assert notes == expected


def test_results_of_tools_are_converted_unless_they_should_not_be() -> None:
    results = [FENCED, "f( 1 )\n", "two words", '{"a": 1}']
    messages = [tool(result) for result in results] + [{**tool("f( 1 )\n"), "role": "function"}, {**tool("f( 1 )\n"), "role": "other"}]
    assert both_send(messages, tool_results=False) == (messages, [])
    sent, notes = both_send(messages)
    assert [message["content"] for message in sent] == [FENCED_SIMPY, "f(1)", *results[2:], "f(1)", "f( 1 )\n"]
    assert notes == []


def test_bare_code_is_converted_where_asked_for() -> None:
    assert both_send([user(PYTHON)])[0] == [user(PYTHON)]
    assert both_send([user(PYTHON)], bare=True)[0] == [user(SIMPY)]


@pytest.mark.parametrize("name", ["broken code", "mark on words", "mark without a text", "marked file"])
def test_both_raise_where_asked_for(name: str) -> None:
    message = CASES[name][0]
    for send in (wrapper_sends, proxy_sends):
        with pytest.raises(PythonSyntaxError):
            send([message], on_error="raise")


def test_what_is_not_marked_and_cannot_be_python_raises_nothing() -> None:
    message = user([{"type": "file"}, IMAGE, None])
    assert both_send([message], on_error="raise")[0] == [message]


def test_python_code_is_the_mark_in_code() -> None:
    assert wrapper_sends([tool(PythonCode(PYTHON)), tool([text(PythonCode(PYTHON))])]) == ([tool(SIMPY), tool([text(SIMPY)])], [])


def test_messages_that_do_not_change_stay_the_same_objects() -> None:
    messages = [user("hello"), user([text("hello"), IMAGE]), user(FENCED)]
    found = MessageConverter("classic").to_model(messages)
    assert found.changed and [one is other for one, other in zip(found.messages, messages, strict=True)] == [True, True, False]
    assert not MessageConverter("classic").to_model(messages[:2]).changed
    assert (found.texts.python, found.texts.sent) == (["hello", "hello", FENCED], ["hello", "hello", FENCED_SIMPY])


@pytest.mark.parametrize("messages", [None, 7, "x", {"role": "user"}])
def test_what_is_not_a_list_of_messages_passes(messages: Any) -> None:
    found = MessageConverter("classic").to_model(messages)
    assert (found.messages, found.changed, len(found.notes)) == (messages, False, 1)
    sent, notes = proxy_sends(messages)
    assert (sent, len(notes)) == (messages, 1)


_TEXTS = st.sampled_from(["", "hello", FENCED, PYTHON, BROKEN, "x = 1"])
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "type", "simpy", "a"]), inner, max_size=3),
    max_leaves=4,
)
_MARKS = st.sampled_from(["python", "other"]) | _ANYTHING
_TYPES = st.sampled_from(["text", "input_text", "file", "refusal", *sorted(MEDIA_PARTS)]) | _ANYTHING
_PARTS = st.fixed_dictionaries({"type": _TYPES}, optional={"text": _TEXTS | _ANYTHING, "simpy": _MARKS}) | _ANYTHING
_ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "other"]) | _ANYTHING
_CONTENTS = _TEXTS | st.lists(_PARTS, max_size=4) | _ANYTHING
_MESSAGES = st.lists(st.fixed_dictionaries({}, optional={"role": _ROLES, "content": _CONTENTS, "simpy": _MARKS}) | _ANYTHING, max_size=4)


@settings(max_examples=300, deadline=None)
@given(_MESSAGES, st.booleans(), st.booleans())
def test_any_messages_are_the_same_to_both(messages: list[Any], bare: bool, tool_results: bool) -> None:
    sent, _ = both_send(messages, bare=bare, tool_results=tool_results)
    assert len(sent) == len(messages)
