"""The wrapper with a scripted model: what the model sees, what the person gets, whole, streamed and under asyncio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from dualcode import DualCode, PythonCode
from dualcode.backends import registry
from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Request
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.prompts import Prompt
from simpy_grammar.errors import BackendError, PythonSyntaxError, SimPySyntaxError


class Scripted:
    """A model that writes what it is told, in pieces of three characters, and remembers what it was asked."""

    tasks = frozenset((COMPLETE, INFILL, CHAT))

    def __init__(self, answer: str, *, counts: bool = True) -> None:
        self.answer = answer
        self.counts = counts
        self.requests: list[Request] = []
        self.given = 0
        self.closed = False

    def run(self, request: Request) -> Generator[str, None, None]:
        self.requests.append(request)
        try:
            for at in range(0, len(self.answer), 3):
                self.given += 1
                yield self.answer[at : at + 3]
        finally:
            self.closed = True

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            await asyncio.sleep(0)
            yield piece

    def count(self, text: str) -> int | None:
        return len(text) if self.counts else None


# prompt, what the model sees, what it answers in classic, what the person gets
COMPLETIONS = [
    (
        "def f(a):\n  if a:\n    return a +",
        "<def_stmt>f a<block_start><if_stmt>a<block_start><return>a+",
        "1<block_end><return>0<block_end>",
        " 1\n  return 0\n",
    ),
    ("def f(a, ", "<def_stmt>f a", " b<block_start><return>a<block_end>", "b):\n    return a\n"),
    ("def f(a):\n    x = 1\n    ", "<def_stmt>f a<block_start>x=1", "<line_sep>y=2<block_end>", "y = 2\n"),
    ("x = 'ab cd ", "x='ab cd ", "ef'<line_sep>y", "ef'\ny\n"),
    ("x = [1,\n     2,\n", "x=[1 2", " 3]", "3]\n"),
    ("    if a:\n        b(", "<if_stmt>a<block_start>b(", "c)<block_end>d()", "c)\n    d()\n"),
    ("def f(a):\n    # c\n", "<def_stmt>f a<block_start># c\n", "<return>'''\n  q'''<block_end>", "    return '''\n  q'''\n"),
    (
        "class A:\n\tdef f(self):\n",
        "<class_stmt>A<block_start><def_stmt>f self<block_start>",
        "<return>1<block_end><block_end>",
        "\t\treturn 1\n",
    ),
    ("", "", "<import_stmt>os", "import os\n"),
]


@pytest.mark.parametrize(("prefix", "seen", "answer", "expected"), COMPLETIONS)
def test_a_completion_joins_on(prefix: str, seen: str, answer: str, expected: str) -> None:
    model = Scripted(answer)
    code = DualCode(model, dialect="classic")
    result = code.complete(prefix)
    assert (model.requests[0].prompt, result.text, result.notes) == (seen, expected, ())
    assert "".join(code.complete(prefix, stream=True)) == expected
    for length in (1, 2, 5):
        reader = CompletionStream(Prompt(prefix, "classic"))
        pieces = [reader.feed(answer[at : at + length]) for at in range(0, len(answer), length)]
        assert "".join([*pieces, reader.close()]) == expected


def test_asyncio_gives_the_same() -> None:
    async def ask() -> tuple[str, str, str]:
        code = DualCode(Scripted("1<block_end>"), dialect="classic")
        whole = await code.acomplete("def f():\n    return ")
        stream = await code.acomplete("def f():\n    return ", stream=True)
        streamed = "".join([piece async for piece in stream])
        chat = await code.achat([{"role": "user", "content": "hello"}])
        assert stream.result is not None
        return whole.text, streamed, chat.text

    assert asyncio.run(ask()) == ("1\n", "1\n", "1<block_end>")


def test_a_completion_stops_where_the_block_ends() -> None:
    model = Scripted("a<block_end><def_stmt>g<block_start><pass><block_end>" * 20)
    result = DualCode(model, dialect="classic").complete("def f(a):\n    return ", until="block")
    assert result.text == "a\n"
    assert model.given < 10
    assert model.closed
    python = Scripted("return '''\n'''\n    b\nx = 1\n" + "y\n" * 100)
    assert DualCode(python).complete("def f(a):\n    ", until="block").text == "return '''\n'''\n    b\n"
    assert python.given < 15


def test_broken_prompts_pass_or_raise() -> None:
    model = Scripted("whatever")
    prefix = "def f(x):\n    y = x ??\n    return "
    result = DualCode(model, dialect="classic").complete(prefix)
    assert (model.requests[0].prompt, result.text) == (prefix, "whatever")
    assert [note.line for note in result.notes] == [2]
    with pytest.raises(PythonSyntaxError):
        DualCode(model, dialect="classic", on_error="raise").complete(prefix)


def test_broken_answers_pass_or_raise() -> None:
    result = DualCode(Scripted("1<block_end>??"), dialect="classic").complete("def f():\n    return ")
    assert (result.text, [note.partial for note in result.notes]) == ("1\n??", [True])
    with pytest.raises(SimPySyntaxError):
        DualCode(Scripted("1<block_end>??"), dialect="classic", on_error="raise").complete("def f():\n    return ")


def test_a_completion_that_merely_stops_has_no_note() -> None:
    result = DualCode(Scripted("<if_stmt>a<block_start>b=1"), dialect="classic").complete("x = 1\n")
    assert (result.text, result.notes) == ("if a:\n    b = 1", ())


def test_infill() -> None:
    model = Scripted("<line_sep>b=2")
    result = DualCode(model, dialect="classic").infill("a = 1\n", "c = 3\nd = 4\n")
    assert (model.requests[0].prompt, model.requests[0].suffix, result.notes) == ("a=1", "<line_sep>c=3<line_sep>d=4", ())
    assert result.text == "b = 2\n"
    result = DualCode(model, dialect="classic").infill("a = (1 + ", " ?? (")
    assert (model.requests[1].suffix, len(result.notes)) == (" ?? (", 2)
    with pytest.raises(PythonSyntaxError, match="suffix"):
        DualCode(model, dialect="classic", on_error="raise").infill("a = (1 + ", " ?? (")
    assert "".join(DualCode(model).infill("a = 1\n", "c = 3\n", stream=True)) == model.answer
    assert (model.requests[2].prompt, model.requests[2].suffix) == ("a = 1\n", "c = 3\n")
    model.tasks = frozenset((COMPLETE,))
    with pytest.raises(BackendError, match="cannot infill"):
        DualCode(model).infill("a", "b")


def test_chat_converts_what_is_python_and_keeps_the_rest() -> None:
    model = Scripted("Yes:\n```python\n<if_stmt>a<l>b<block_start>c()<block_end>\n```\n")
    code = DualCode(model, dialect="classic", tool_results=False)
    block = "```python\nif a < b:\n    c()\n```\n"
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": block}, {"type": "image_url", "image_url": {"url": "x"}}], "name": "me"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"arguments": "```py\nx = 1\n```"}}]},
        {"role": "tool", "content": block, "tool_call_id": "1"},
        {"role": "tool", "content": PythonCode("if a:\n    b"), "tool_call_id": "2"},
    ]
    kept = json.dumps(messages)
    result = code.chat(messages, temperature=0)
    seen = model.requests[0].messages
    assert json.dumps(messages) == kept, "the caller's messages were changed"
    assert seen[1]["content"][0]["text"] == "```python\n<if_stmt>a<l>b<block_start>c()<block_end>\n```\n"
    assert [seen[0], seen[1]["content"][1], seen[2], seen[3]] == [messages[0], messages[1]["content"][1], messages[2], messages[3]]
    assert seen[4]["content"] == "<if_stmt>a<block_start>b<block_end>"
    assert model.requests[0].options == {"temperature": 0}
    assert result.text == "Yes:\n" + block
    assert "".join(code.chat(messages, stream=True)) == result.text


def test_a_stream_that_is_closed_stops_the_model() -> None:
    model = Scripted("abc" * 1000)
    stream = DualCode(model).complete("x = ", stream=True)
    assert next(iter(stream)) == "abc"
    stream.close()
    assert model.closed
    assert model.given < 5
    with pytest.raises(BackendError):
        stream.finish()


def test_the_usage_counts_both_forms() -> None:
    code = DualCode(Scripted("1<block_end>"), dialect="classic")
    entry = code.complete("def f():\n    return ").usage
    assert (entry.tokens_in, entry.tokens_in_python) == (len("<def_stmt>f<block_start><return>"), len("def f():\n    return "))
    assert (entry.tokens_out, entry.tokens_out_python, entry.estimated) == (len("1<block_end>"), len("1\n"), False)
    code.complete("x = ")
    content = json.loads(code.usage.to_json())
    assert len(content["calls"]) == 2
    assert content["total"]["tokens_in"] == sum(call["tokens_in"] for call in content["calls"])
    assert code.usage.summary().startswith("2 calls: ")
    guessed = DualCode(Scripted("1", counts=False))
    assert guessed.complete("x = ").usage.estimated
    assert "about" in guessed.usage.summary()


@pytest.mark.parametrize("numbers", [True, False])
def test_line_numbers_become_numbers_at_definitions_unless_nobody_wants_them(numbers: bool) -> None:
    model = Scripted("Done.")
    DualCode(model, numbers=numbers).chat([{"role": "user", "content": "7\tdef f(a):\n8\t    return a + 1\n9\t\n"}])
    assert model.requests[0].messages[0]["content"] == "7:" * numbers + "def f(a):return a+1\n"


def test_the_default_dialect_is_python() -> None:
    model = Scripted("```python\ndef f(a):\n\treturn a<1\n```")
    result = DualCode(model).chat([{"role": "user", "content": "```python\ndef f(a):\n    return a < 1\n```"}])
    assert model.requests[0].messages[0]["content"] == "```python\ndef f(a):return a<1\n```"
    assert result.text == "```python\ndef f(a):\n    return a < 1\n```"


def test_backends_are_registered_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BACKENDS", dict(registry.BACKENDS))
    registry.register("mine", "tests.scripted_backend")
    assert next(iter(registry.BACKENDS)) == "mine"
    assert DualCode("scripted:x=1").complete("").text == "x=1"
    with pytest.raises(ValueError, match="already"):
        registry.register("mine", "another")
    with pytest.raises(BackendError):
        registry.open_backend("nowhere", backend="none")
    with pytest.raises(TypeError):
        DualCode(Scripted(""), folder="x")


@pytest.mark.parametrize("answer", ["b+ tokens", "b+)", "b<and> c d", "b+c<and><augpow>d", "b<if>", "b+"])
def test_a_faulty_answer_is_the_same_at_every_cut(answer: str) -> None:
    prompt = Prompt("x = ", "classic")
    found = set()
    for at in range(len(answer) + 1):
        reader = CompletionStream(prompt)
        found.add((reader.feed(answer[:at]) + reader.feed(answer[at:]) + reader.close(), reader.notes))
    assert len(found) == 1
