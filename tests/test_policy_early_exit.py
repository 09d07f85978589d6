"""The policy ``early-exit``, and the log-probabilities of local models and servers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.generation import ScoreProcessor  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.protocol import CHAT, COMPLETE, Request  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # after the libraries that may be missing
from dualcode.policies.early_exit import EarlyExit  # noqa: E402  # after the libraries that may be missing
from dualcode.policies.protocol import Question  # noqa: E402  # after the libraries that may be missing
from dualcode.policies.registry import open_policy  # noqa: E402  # after the libraries that may be missing
from simpy_grammar.errors import BackendError, SimPyError  # noqa: E402  # after the libraries that may be missing
from tests.test_dualcode_backends import model, tokenizer  # noqa: E402  # after the libraries that may be missing
from tests.test_generation import held_with  # noqa: E402  # after the libraries that may be missing

PROMPTS = ("def f(a):\n    return a +", "x = [")


def backend(name: str = "llama") -> TransformersBackend:
    return TransformersBackend(model(name), tokenizer(), dialect="classic")


def held() -> TransformersBackend:
    """The same model, held to the dialect."""
    return held_with(model("llama"))


@pytest.mark.parametrize("begin", [backend, held])
def test_the_text_is_the_same(begin: Callable[[], TransformersBackend]) -> None:
    one = begin()
    for prompt in PROMPTS:
        alone = DualCode(one, dialect="classic").complete(prompt, max_tokens=12)
        drafted = DualCode(one, dialect="classic", policies=[EarlyExit(1)]).complete(prompt, max_tokens=12)
        assert drafted.raw_text == alone.raw_text
        assert drafted.usage.generated == alone.usage.generated
        assert drafted.policies == ("early-exit: the first 1 layers draft",)
        assert one.model.config.num_hidden_layers == 2


def test_drafts_that_are_right_save_steps() -> None:
    torch.manual_seed(0)
    same = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**model("llama").config.to_dict(), "num_hidden_layers": 3})).eval()
    for layer in same.model.layers[1:]:  # they add nothing to what the first one says
        for name in ("o_proj", "down_proj"):
            part = getattr(layer.self_attn, name, None) or getattr(layer.mlp, name)
            torch.nn.init.zeros_(part.weight)
    one = TransformersBackend(same, tokenizer(), dialect="classic")
    alone, drafted = (DualCode(one, policies=chosen).complete("x = ", max_tokens=24) for chosen in ([], ["early-exit:layers=1"]))
    assert drafted.raw_text == alone.raw_text
    assert alone.usage.steps == alone.usage.generated
    assert drafted.usage.steps is not None and alone.usage.steps is not None and drafted.usage.steps < alone.usage.steps


def test_what_cannot_exit_early_says_so() -> None:
    for name, layers, message in (("gpt2", 1, "cannot leave out layers"), ("llama", 2, "leaves out no layer: the model has 2")):
        one = backend(name)
        with pytest.raises(BackendError, match=message):
            DualCode(one, dialect="classic", policies=[EarlyExit(layers)]).complete("x = ", max_tokens=4)
        assert DualCode(one, dialect="classic").complete("x = ", max_tokens=4).usage.generated


def test_a_draft_that_fails_leaves_the_model_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one = backend()
    alone = DualCode(one, dialect="classic").complete("x = ", max_tokens=8).raw_text
    forward = one.model.forward

    def fail(*args: Any, **options: Any) -> Any:
        if one.model.config.num_hidden_layers == 1 and options.get("attention_mask") is not None:
            raise RuntimeError("no memory for a draft")
        return forward(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(one.model, "forward", fail)
        with pytest.raises(BackendError, match="no memory"):
            DualCode(one, dialect="classic", policies=[EarlyExit(1)]).complete("x = ", max_tokens=8)
    assert one.model.config.num_hidden_layers == 2
    assert DualCode(one, dialect="classic").complete("x = ", max_tokens=8).raw_text == alone


def test_when_it_stays_out() -> None:
    policy = EarlyExit(4)
    for question in (
        Question("complete", options={"assistant_early_exit": 2}),
        Question("complete", options={"prompt_lookup_num_tokens": 2}),
        Question("complete", model="small"),
        Question("complete", path="/completions"),
    ):
        assert policy.before(question) is None
    for text in ("", ":layers=0", ":layers=1.5", ":layers=x", ":number=1"):
        with pytest.raises(SimPyError, match="layers|option"):
            open_policy(f"early-exit{text}")


@pytest.mark.parametrize(
    "options, is_held",
    [
        ({}, False),
        ({}, True),
        ({"assistant_early_exit": 1}, False),
        ({"assistant_early_exit": 1}, True),
        ({"prompt_lookup_num_tokens": 2}, False),
        ({"temperature": 0.9, "seed": 3, "top_p": 0.8}, False),
    ],
)
def test_log_probabilities_are_the_models_own(options: dict[str, Any], is_held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    one = held() if is_held else backend()
    request = Request(COMPLETE, prompt="x=[1 2 3 1 2", options={"max_tokens": 12, **options}, logprobs=True)
    generated: list[int] = []
    add = ScoreProcessor.add
    monkeypatch.setattr(ScoreProcessor, "add", lambda kept, ids: (generated.extend(ids), add(kept, ids))[1])
    list(one.run(request))
    ids = one._prompt_ids(request)
    with torch.inference_mode():  # by one look at all of it
        scores = one.model(torch.tensor([ids + generated])).logits[0].float().log_softmax(-1)
    told = [float(scores[len(ids) + at - 1, number]) for at, number in enumerate(generated)]
    assert request.spent.tokens == len(generated)
    assert request.spent.logprob == pytest.approx(sum(told) / len(told), abs=1e-4)


def test_an_answer_that_is_closed_has_them_up_to_there() -> None:
    one = backend()
    request = Request(COMPLETE, prompt="x", options={"max_tokens": 200}, logprobs=True)
    pieces = one.run(request)
    next(pieces)
    pieces.close()
    assert request.spent.logprob is not None
    request = Request(COMPLETE, prompt="x", options={"max_tokens": 4})
    list(one.run(request))
    assert request.spent.logprob is None


def server(answer: dict[str, Any], streamed: bool = False) -> tuple[Any, list[dict[str, Any]]]:
    """A backend for a server that always answers the same, and what it was asked."""
    openai = pytest.importorskip("openai", reason="the extra serve is not installed")
    httpx = pytest.importorskip("httpx", reason="the extra serve is not installed")
    from dualcode.backends.openai_backend import OpenAIBackend

    asked: list[dict[str, Any]] = []

    def reply(request: Any) -> Any:
        asked.append(json.loads(request.content))
        if streamed:
            content = f"data: {json.dumps(answer)}\n\ndata: {json.dumps(answer)}\n\ndata: [DONE]\n\n"
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=content)
        return httpx.Response(200, json=answer)

    client = openai.OpenAI(
        base_url="http://127.0.0.1:9/v1", api_key="k", max_retries=0, http_client=httpx.Client(transport=httpx.MockTransport(reply))
    )
    return OpenAIBackend(client=client, name="tiny"), asked


@pytest.mark.parametrize(
    "task, choice, option",
    [
        (CHAT, {"message": {"role": "assistant", "content": "a"}, "logprobs": {"content": [{"logprob": -1.0}, {"logprob": -2.0}]}}, True),
        (COMPLETE, {"text": "a", "logprobs": {"token_logprobs": [None, -1.0, -2.0]}}, 1),
        (COMPLETE, {"text": "a", "logprobs": {"content": [{"logprob": -1.0}, {"logprob": -2.0}]}}, 1),  # of llama.cpp
        (COMPLETE, {"text": "a", "logprobs": None}, 1),
    ],
)
def test_log_probabilities_of_servers(task: str, choice: dict[str, Any], option: object) -> None:
    one, asked = server({"choices": [{"index": 0, **choice}]})
    for given, sent in (({}, option), ({"logprobs": 5}, 5)):
        request = Request(task, prompt="x", messages=[{"role": "user", "content": "?"}], options=given, logprobs=True)
        list(one.run(request))
        assert asked[-1]["logprobs"] == sent
        assert request.spent.logprob == (-1.5 if choice["logprobs"] else None)
    request = Request(task, prompt="x", messages=[{"role": "user", "content": "?"}])
    list(one.run(request))
    assert "logprobs" not in asked[-1] and request.spent.logprob is None


def test_log_probabilities_of_a_stream() -> None:
    chunk = {"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [{"logprob": -1.0}]}}
    one, _ = server({"choices": [chunk]}, streamed=True)
    request = Request(CHAT, messages=[{"role": "user", "content": "?"}], stream=True, logprobs=True)
    assert list(one.run(request)) == ["a", "a"]
    assert request.spent.logprob == -1.0


def test_a_server_is_not_asked_to_exit_early() -> None:
    one, asked = server({"choices": [{"index": 0, "text": "a"}]})
    with pytest.raises(BackendError, match="assistant_early_exit is an option of local models"):
        DualCode(one, policies=[EarlyExit(4)]).complete("x")
    assert not asked
