"""The policy ``prune``: which files of a conversation are shown shortened, what is left of them, and that all else stays as it is."""

from __future__ import annotations

import copy
import json
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.conversion.tool_results import PythonCode
from dualcode.policies.protocol import Ask, Question
from dualcode.policies.prune import Prune, shortened
from dualcode.policies.registry import open_policy
from simpy_grammar.errors import SimPyError
from tests.api_answers import CHAT, MESSAGES, whole
from tests.scripted_backend import ScriptedBackend
from tests.scripted_upstream import LONG, Reply, proxy_server, upstream_server

NOTE = "# shortened by the policy prune: "
Step = tuple[str, dict[str, Any], str]  # a tool, its arguments, its result


class Recording(ScriptedBackend):
    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.requests: list[Request] = []

    def run(self, request: Request) -> Generator[str, None, None]:
        self.requests.append(request)
        return super().run(request)


def source(name: str) -> str:
    return f"import os\n\n\ndef {name}(a, b):\n    for c in range(10):\n" + "        a = os.path.join(a, b)\n" * 9 + "    return a\n"


def gutter(code: str, first: int = 1) -> str:
    return "".join(f"{first + at:6}\t{line}\n" for at, line in enumerate(code.splitlines()))


def read(path: str, text: str | None = None, tool: str = "read_file", **more: Any) -> Step:
    return tool, {"path": path, **more}, source(path.rpartition("/")[2].partition(".")[0]) if text is None else text


def openai(*steps: Step, asked: str = "Fix it") -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": asked}]
    for at, (tool, arguments, result) in enumerate(steps):
        call = {"id": f"c{at}", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{at}", "content": result})
    return messages


def anthropic(*steps: Step, asked: str = "Fix it") -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": asked}]}]
    for at, (tool, arguments, result) in enumerate(steps):
        messages.append({"role": "assistant", "content": [{"type": "tool_use", "id": f"c{at}", "name": tool, "input": arguments}]})
        block = {"type": "tool_result", "tool_use_id": f"c{at}", "content": [{"type": "text", "text": result}]}
        messages.append({"role": "user", "content": [block]})
    return messages


FORMS = pytest.mark.parametrize("form", [openai, anthropic])


def pruned(messages: list[dict[str, Any]], policy: Prune | None = None) -> list[int]:
    """The messages that are shortened; the others are the objects that were given, and nothing given is changed."""
    given = copy.deepcopy(messages)
    decision = (policy or Prune(keep=1, step=1)).before(Question("chat", messages=messages))
    assert messages == given
    if decision is None:
        return []
    assert isinstance(decision, Ask)
    found = [at for at, (one, other) in enumerate(zip(messages, decision.question.messages, strict=True)) if one is not other]
    assert found
    for at in found:
        assert NOTE in json.dumps(decision.question.messages[at])
        assert len(json.dumps(decision.question.messages[at])) < len(json.dumps(messages[at]))
    assert decision.reason.startswith(f"{len(found)} file{'s' if len(found) > 1 else ''} shortened, about ")
    return found


@FORMS
def test_files_that_were_read_are_shortened_but_for_the_last(form: Any) -> None:
    messages = form(read("a.py"), read("b.py"), read("src/c.py"))
    assert pruned(messages) == [2, 4]
    assert pruned(messages, Prune(keep=2, step=1)) == [2]
    assert pruned(messages, Prune(keep=3, step=1)) == []


def test_files_are_shortened_some_at_a_time() -> None:
    steps = [read(f"m{number}.py") for number in range(10)]
    assert pruned(openai(*steps[:5]), Prune()) == []
    assert pruned(openai(*steps[:6]), Prune()) == pruned(openai(*steps[:9]), Prune()) == [2, 4, 6, 8]
    assert len(pruned(openai(*steps), Prune())) == 8


def test_what_is_left_and_what_the_text_says() -> None:
    decision = Prune(keep=1, step=1).before(Question("chat", messages=openai(read("a.py"), read("b.py"))))
    assert decision is not None
    assert decision.question.messages[2]["content"] == (
        f"{NOTE}12 statements, 1 body left out; read the file again to see it whole\ndef a(a, b): ...\n"
    )


@FORMS
@pytest.mark.parametrize(
    "step",
    [
        ("Edit", {"file_path": "/home/me/a.py", "old_string": "a", "new_string": "b"}, "done"),
        ("write_file", {"path": "a.py", "content": "x = 1\n"}, "done"),
        ("apply_patch", {"input": "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** End Patch"}, "done"),
        ("insert_lines", {"path": "./a.py", "line": 3, "text": "x = 1"}, "done"),
    ],
)
def test_a_file_that_is_edited_stays_whole(form: Any, step: Step) -> None:
    assert pruned(form(read("a.py"), step, read("b.py"), read("c.py"))) == [6]


@FORMS
def test_an_edit_of_another_file_keeps_none_whole(form: Any) -> None:
    edit = ("Edit", {"file_path": "z.py", "old_string": "a", "new_string": "b"}, "done")
    assert pruned(form(read("a.py"), edit, read("b.py"))) == [2]


@FORMS
def test_a_file_that_the_person_names_stays_whole(form: Any) -> None:
    steps = (read("src/a.py"), read("src/b.py"), read("src/c.py"))
    assert pruned(form(*steps, asked="Fix `a.py`.")) == [4]
    assert pruned(form(*steps, asked="Fix other/a.py.")) == [2, 4]
    assert pruned(form(*steps, asked="Why does src.b.f fail?")) == [2]
    assert pruned([*form(*steps), {"role": "assistant", "content": "done"}, {"role": "user", "content": "Now b.py!"}]) == [2]


@FORMS
def test_a_file_that_was_read_again_stays_whole_from_then_on(form: Any) -> None:
    assert pruned(form(read("a.py"), read("b.py"), read("./a.py"), read("c.py"), read("d.py"))) == [2, 4, 8]


def test_files_that_the_model_has_not_answered_stay_whole() -> None:
    messages = openai(read("a.py"), read("b.py"), read("c.py"))
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    at_once = [messages[0], {"role": "assistant", "tool_calls": calls}, *(one for one in messages if one["role"] == "tool")]
    assert pruned(at_once) == []
    assert pruned([*at_once, {"role": "assistant", "content": "I see."}]) == [2, 3]


@FORMS
@pytest.mark.parametrize(
    "step",
    [
        read("a.py", offset=3),  # a part
        read("a.py", gutter(source("a"), 7)),  # a part, by its line numbers
        read("a.py", "no such file"),
        read("a.py", source("a")[:-20] + "("),  # it breaks off
        read("a.py", f"```python\n{source('a')}```\n```python\n{source('b')}```\n"),  # two
        read("a.py", "x = 1\ny = 2\n"),  # nothing would be left
        read("a.py", "def f(): ...\n"),  # nothing is saved
        read("a.txt", source("a")),
        read("a.py", tool="grep"),
        ("bash", {"command": "cat a.py"}, source("a")),
    ],
)
def test_what_is_not_certain_stays_as_it_is(form: Any, step: Step) -> None:
    assert pruned(form(step, read("b.py"))) == []


def test_results_of_another_shape_stay_as_they_are() -> None:
    messages = anthropic(read("a.py"), read("b.py"))
    block = messages[2]["content"][0]
    changes: list[dict[str, Any]] = [
        {"is_error": True},
        {"content": block["content"] * 2},
        {"content": 7},
        {"tool_use_id": ["c0"]},
        {"content": [{}]},
    ]
    for change in changes:
        assert pruned([*messages[:2], {"role": "user", "content": [{**block, **change}]}, *messages[3:]]) == []
    odd: list[dict[str, Any]] = [
        {},
        {"role": 7, "content": {}},
        {"role": "assistant", "tool_calls": [7, {"function": 3}], "content": [None]},
    ]
    assert pruned(odd) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("<file>\n", "\n(End of file)\n</file>"),
        ("", "\n<system-reminder>\nbe good\n</system-reminder>\n"),
        ("a.py, whole:\n", ""),
    ],
)
def test_what_stands_around_the_file_stays(before: str, after: str) -> None:
    found = shortened(before + gutter(source("a")) + after, ["signatures"])
    assert found.startswith(f"{before}{NOTE}")
    assert found.endswith(f"def a(a, b): ...\n{after}")


def test_the_same_conversation_gives_the_same_bytes_as_it_grows() -> None:
    """A file that was shortened stays so, and only one more is with each that is read; with ``step``, some at a time."""
    steps = [read(f"m{number}.py") for number in range(9)]
    for step, changes in ((1, 8), (4, 2)):
        policy, changed = Prune(keep=1, step=step), 0
        before: list[Any] = []
        for count in range(1, 10):
            messages = openai(*steps[:count])
            decision = policy.before(Question("chat", messages=messages))
            sent = list(decision.question.messages) if decision else messages
            changed += sent[: len(before)] != before
            short = [NOTE in str(one["content"]) for one in before]
            assert all(NOTE in str(one["content"]) for one, was in zip(sent, short, strict=False) if was)
            before = sent
        assert changed == changes


def test_marks_and_other_fields_stay() -> None:
    messages = anthropic(read("a.py"), read("b.py"))
    messages[2]["content"][0]["content"][0]["cache_control"] = {"type": "ephemeral"}
    messages[2]["content"].append({"type": "text", "text": "go on"})
    decision = Prune(keep=1, step=1).before(Question("chat", messages=messages))
    assert decision is not None
    block, hint = decision.question.messages[2]["content"]
    assert (block["tool_use_id"], hint) == ("c0", {"type": "text", "text": "go on"})
    assert block["content"][0]["cache_control"] == {"type": "ephemeral"}
    marked = openai(read("a.py", PythonCode(source("a"))), read("b.py"))
    decision = Prune(keep=1, step=1).before(Question("chat", messages=marked))
    assert decision is not None
    assert isinstance(decision.question.messages[2]["content"], PythonCode)


def test_opened_by_name() -> None:
    policy = open_policy("prune:view=prune=30+no-comments,keep=3,step=2")
    assert isinstance(policy, Prune)
    assert (policy.views, policy.keep, policy.step) == (("prune=30", "no-comments"), 3, 2)
    assert pruned(openai(read("a.py"), read("b.py")), Prune(["prune=30"], keep=1, step=1)) == [2]
    for wrong in ("view=nothing", "view=symbol=f", "view=lines=1-2", "keep=0", "keep=1.5", "step=inf"):
        with pytest.raises(SimPyError):
            open_policy(f"prune:{wrong}")


def test_other_questions_pass() -> None:
    assert Prune().before(Question("complete", source("a"))) is None
    assert Prune().before(Question("chat")) is None


def test_the_wrapper_sends_the_view_in_the_dialect() -> None:
    backend = Recording("ok")
    found = DualCode(backend, policies=["prune:keep=1,step=1"]).chat(openai(read("a.py"), read("b.py")))
    assert found.policies[0].startswith("prune: 1 file shortened, about ")
    sent = [message["content"] for message in backend.requests[0].messages if message["role"] == "tool"]
    assert sent[0] == f"{NOTE}12 statements, 1 body left out; read the file again to see it whole\ndef a(a,b):..."
    assert "return a" in sent[1]


def test_the_proxy_sends_the_view_in_each_api() -> None:
    with upstream_server() as (upstream, url), proxy_server(url, policies=("prune:keep=1,step=1",)) as proxy:
        for path, form in ((CHAT, openai), (MESSAGES, anthropic)):
            upstream.reply = Reply([whole(path, "ok")])
            messages = form(read("a.py"), read("b.py"))
            answer = httpx.post(f"{proxy}{path}", json={"model": "m", "max_tokens": 9, "messages": messages}, timeout=LONG)
            assert answer.headers["x-simpy-policies"].startswith("prune: 1 file shortened")
            sent = upstream.seen[-1].json["messages"]
            assert f"{NOTE}12 statements" in str(sent[2])
            assert "def a(a,b):..." in str(sent[2])
            assert "return b" not in str(sent[2])
            assert "return a" in str(sent[4])
