"""A conversation gives the same bytes every turn: the request of one turn begins with all of that before, so prompt caches hold."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dualcode.conversion.memory import LIMIT
from dualcode.server.convert import RequestConverter
from dualcode.server.json_objects import ENCODER
from tests.api_answers import CHAT, MESSAGES, RESPONSES

Turn = tuple[str, str]
"""Who speaks, or ``read`` for the result of a tool that has read a file; and the text."""

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FILES = [(EXAMPLES / name).read_text(encoding="utf-8") for name in ("two_sum.py", "inventory.py")]
FILES += ["def broken(:\n    pass\n", "# only a comment\n", ""]
LISTS = {CHAT: "messages", RESPONSES: "input", MESSAGES: "messages"}


def item(path: str, turn: Turn) -> dict[str, Any]:
    """A turn as an item of a request to this API."""
    who, text = turn
    if path == CHAT:
        return {"role": "tool", "tool_call_id": "1", "content": text} if who == "read" else {"role": who, "content": text}
    if path == RESPONSES:
        if who == "read":
            return {"type": "function_call_output", "call_id": "1", "output": text}
        return {"role": who, "content": [{"type": "output_text" if who == "assistant" else "input_text", "text": text}]}
    if who == "read":
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": text}]}
    return {"role": who, "content": [{"type": "text", "text": text}]}


def body(path: str, turns: list[Turn]) -> bytes:
    """A request whose last bytes are its turns."""
    return ENCODER.encode({"model": "m", "stream": True, LISTS[path]: [item(path, turn) for turn in turns]}).encode()


def assert_prefixes(converter: RequestConverter, path: str, turns: list[Turn]) -> None:
    """The bytes of each turn's request, up to the end of its list, begin those of the next turn's."""
    before = b""
    for count in range(1, len(turns) + 1):
        sent = converter.convert(path, body(path, turns[:count]), tool_results=True).body
        assert sent.endswith(b"]}")
        assert sent.startswith(before), f"turn {count}"
        before = sent[:-2]


def edited(text: str, at: int, new: str) -> str:
    """The file with one line changed, and perhaps broken."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return new + "\n"
    lines[at % len(lines)] = new + "\n"
    return "".join(lines)


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    """Files are talked about, read, edited and read again."""
    files = list(FILES)
    turns: list[Turn] = []
    for _ in range(draw(st.integers(1, 8))):
        number = draw(st.integers(0, len(files) - 1))
        kind = draw(st.sampled_from(["say", "read", "show", "edit"]))
        if kind == "say":
            turns.append((draw(st.sampled_from(["user", "assistant", "system"])), draw(st.text(max_size=40))))
        elif kind == "read":
            turns.append(("read", files[number]))
        elif kind == "show":
            turns.append((draw(st.sampled_from(["user", "assistant"])), f"Look:\n```python\n{files[number]}```\n"))
        else:
            new = draw(st.sampled_from(["x = 1", "    return 7", "def f(a, b):", "  (", "# größer", "```"]))
            files[number] = edited(files[number], draw(st.integers(0, 50)), new)
            turns.append(("read", files[number]))
    return turns


@pytest.mark.parametrize("path", LISTS)
@settings(max_examples=25, deadline=None)
@given(turns=conversations(), dialect=st.sampled_from(["compact", "classic"]), memory=st.sampled_from([0, 3000, LIMIT]))
def test_any_conversation_has_prefixes_that_do_not_change(path: str, turns: list[Turn], dialect: str, memory: int) -> None:
    assert_prefixes(RequestConverter(dialect, memory=memory), path, turns)


def fifty_turns() -> Iterator[Turn]:
    """A person asks, the model answers with code, a file is read, changed and read again."""
    chance = random.Random(11)
    files = list(FILES[:2])
    for number in range(50):
        at = chance.randrange(2)
        if number % 5 == 4:
            files[at] = edited(files[at], chance.randrange(40), f"# change {number}")
        question = f"Question {number}, about this:\n```python\n{files[at]}```\n"
        answer = f"Change it so:\n```python\nvalue_{number} = ( {number} )\n```\n"
        yield [("user", question), ("assistant", answer), ("read", files[1 - at])][number % 3]


@pytest.mark.parametrize("path", LISTS)
def test_fifty_turns(path: str) -> None:
    turns = list(fifty_turns())
    assert len(turns) == 50
    assert_prefixes(RequestConverter("compact"), path, turns)


@pytest.mark.parametrize("path", LISTS)
def test_a_proxy_that_starts_in_the_middle_sends_the_same_bytes(path: str) -> None:
    turns = list(fifty_turns())[:12]
    old = RequestConverter("compact")
    assert_prefixes(old, path, turns)
    asked = body(path, turns)
    sent = old.convert(path, asked, tool_results=True).body
    assert sent == RequestConverter("compact", memory=0).convert(path, asked, tool_results=True).body
    assert sent != asked  # something was converted
