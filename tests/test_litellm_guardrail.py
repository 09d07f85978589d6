"""The guardrail for LiteLLM. LiteLLM is too large for the development extra (200 MB): where it is not installed, a base class stands in
for its own and small models for its objects. With LiteLLM installed the same tests use the real classes.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from dualcode.conversion.markdown import MixedText
from tests.api_answers import CHAT, MESSAGES, events, whole

REAL = importlib.util.find_spec("litellm") is not None
PYTHON = "```python\ndef f( a ):\n    return  a\n```\n"
SENT = MixedText("classic").to_model(PYTHON).text
SIMPY = "Well:\n```python\n<def_stmt>f a<block_start><return>a<block_end>\n```\nso `"
READ = "Well:\n```python\ndef f(a):\n    return a\n```\nso `"
USER = [{"role": "user", "content": PYTHON}]


class Model(BaseModel):
    """Stands in for LiteLLM's objects, which are models that keep what they do not know."""

    model_config = ConfigDict(extra="allow")


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    """LiteLLM, or what stands in for it."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network for prices
    if REAL:
        yield importlib.import_module("litellm")
        return
    package, integrations, module = (
        ModuleType(name) for name in ("litellm", "litellm.integrations", "litellm.integrations.custom_guardrail")
    )

    class CustomGuardrail:
        def __init__(self, guardrail_name: str | None = None, event_hook: Any = None, default_on: bool = False, **options: Any) -> None:
            self.guardrail_name, self.event_hook, self.default_on = guardrail_name, event_hook, default_on

    module.CustomGuardrail = CustomGuardrail  # type: ignore[attr-defined]
    package.ModelResponse = package.ModelResponseStream = Model  # type: ignore[attr-defined]
    for one in (package, integrations, module):
        sys.modules[one.__name__] = one
    yield package
    for name in (package.__name__, integrations.__name__, module.__name__, "dualcode.litellm_guardrail"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def guardrail_class(litellm: Any) -> Any:
    return importlib.import_module("dualcode.litellm_guardrail").SimPyGuardrail


@pytest.fixture
def guardrail(guardrail_class: Any) -> Any:
    return guardrail_class(dialect="classic", guardrail_name="simpy", event_hook=["pre_call", "post_call"], default_on=True)


def asked(guardrail: Any, call_type: str = "acompletion", **data: Any) -> dict[str, Any]:
    given = {"model": "m", "litellm_call_id": "1", "messages": [dict(one) for one in USER], **data}
    return dict(asyncio.run(guardrail.async_pre_call_hook(None, None, given, call_type)))


def streamed(guardrail: Any, data: dict[str, Any], pieces: list[Any]) -> list[Any]:
    async def response() -> AsyncIterator[Any]:
        for piece in pieces:
            yield piece

    async def read() -> list[Any]:
        return [one async for one in guardrail.async_post_call_streaming_iterator_hook(None, response(), data)]

    return asyncio.run(read())


def parsed(sent: bytes) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in sent.split(b"\n") if line.startswith(b"data: {")]


@pytest.mark.parametrize("call_type", ["completion", "acompletion", "anthropic_messages"])
def test_requests_are_converted(guardrail: Any, call_type: str) -> None:
    logger = object()  # LiteLLM keeps objects of its own in a request
    data = asked(guardrail, call_type, metadata={"logger": logger})
    assert data["messages"] == [{"role": "user", "content": SENT}]
    assert data["metadata"] == {"logger": logger}


def test_the_other_apis(guardrail: Any) -> None:
    assert asked(guardrail, "aresponses", input=PYTHON)["input"] == SENT
    assert asked(guardrail, "atext_completion", prompt="x = 1 +")["prompt"] == "x=1+"
    assert asked(guardrail, "aembedding")["messages"] == USER


def test_a_whole_answer(guardrail: Any, litellm: Any) -> None:
    data = asked(guardrail)
    answer = litellm.ModelResponse(**json.loads(whole(CHAT, SIMPY, {"path": "a"})))
    found = asyncio.run(guardrail.async_post_call_success_hook(data, None, answer))
    assert found is answer
    message = found.model_dump()["choices"][0]["message"]
    assert message["content"] == READ and json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"path": "a"}


def test_an_answer_of_anthropics_form(guardrail: Any) -> None:
    data = asked(guardrail, "anthropic_messages")
    answer = json.loads(whole(MESSAGES, SIMPY))
    assert asyncio.run(guardrail.async_post_call_success_hook(data, None, answer))["content"] == [{"type": "text", "text": READ}]


@pytest.mark.parametrize("finish", [True, False])
def test_a_streamed_answer_of_objects(guardrail: Any, litellm: Any, finish: bool) -> None:
    data = asked(guardrail, stream=True)
    pieces = [litellm.ModelResponseStream(**event) for event in parsed(events(CHAT, SIMPY, finish=finish))]
    found = [one.model_dump() for one in streamed(guardrail, data, pieces)]
    assert "".join(one["choices"][0]["delta"].get("content") or "" for one in found) == READ
    assert not finish or found[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("text", [True, False])
def test_a_streamed_answer_of_bytes(guardrail: Any, text: bool) -> None:
    data = asked(guardrail, "anthropic_messages", stream=True)
    sent = events(MESSAGES, SIMPY).replace(b"\xe2\x80\x94", b"-")
    pieces: list[Any] = [sent[at : at + 50] for at in range(0, len(sent), 50)]
    found = streamed(guardrail, data, [piece.decode() for piece in pieces] if text else pieces)
    assert all(isinstance(one, str if text else bytes) for one in found)
    joined = "".join(found).encode() if text else b"".join(found)
    assert "".join(event["delta"]["text"] for event in parsed(joined) if event["type"] == "content_block_delta") == READ


def test_answers_to_requests_that_were_not_read_pass(guardrail: Any, litellm: Any) -> None:
    answer = litellm.ModelResponse(**json.loads(whole(CHAT, SIMPY)))
    found = asyncio.run(guardrail.async_post_call_success_hook({"litellm_call_id": "unknown"}, None, answer))
    assert found.model_dump()["choices"][0]["message"]["content"] == SIMPY
    pieces = [object(), object()]
    assert streamed(guardrail, {}, pieces) == pieces


def test_requests_whose_answers_never_come_are_forgotten(guardrail: Any) -> None:
    for number in range(5000):
        asked(guardrail, litellm_call_id=str(number), messages=[])
    assert len(guardrail._waiting) <= 4096


def test_the_example_of_a_configuration_names_the_class(guardrail_class: Any) -> None:
    configuration = (Path(__file__).parent.parent / "examples" / "litellm.yaml").read_text(encoding="utf-8")
    module, name = guardrail_class.__module__, guardrail_class.__qualname__
    assert f"guardrail: {module}.{name}\n" in configuration
