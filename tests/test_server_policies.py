"""`simpy serve --policy`: what policies see of requests and answers, and what the client and the upstream get."""

from __future__ import annotations

import argparse
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from dualcode.policies.protocol import Answer, Ask, Give, Policy, Question, Refuse
from dualcode.server.app import create_server
from dualcode.server.own_answers import own_answer
from dualcode.server.questions import question_of, request_of, tenant_of
from dualcode.server.settings import Settings
from dualcode.server.watched_answers import Outcome, outcome_of
from simpy_cli.option_sources import add_options, read_options
from simpy_cli.serve_options import OPTIONS, PREFIX
from simpy_grammar.errors import SimPyError
from tests.api_answers import CHAT, MESSAGES, RESPONSES
from tests.policed_proxies import ANSWER, ASKED, COMPLETIONS, PROMPT, PYTHON, ask, completion, events, proxy_of, text_of
from tests.scripted_policies import Refusing, Remembering, Scripted, changed
from tests.scripted_upstream import DIE, LONG, STALL, Reply, Upstream, chat_events, running, stream, upstream_server, wait_for

PATHS = (CHAT, COMPLETIONS, MESSAGES, RESPONSES)


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (app, url):
        yield app, url


@pytest.fixture(scope="module")
def beside() -> Iterator[tuple[Upstream, str]]:
    """Another server, whose models policies may name."""
    with upstream_server() as (app, url):
        yield app, url


@pytest.fixture
def other(beside: tuple[Upstream, str]) -> Upstream:
    app = beside[0]
    app.seen.clear()
    app.reply = completion("good")
    return app


@pytest.fixture
def upstream(behind: tuple[Upstream, str]) -> Upstream:
    app = behind[0]
    app.seen.clear()
    app.left.clear()
    app.reply = completion(ANSWER)
    return app


@pytest.fixture(scope="module")
def shared(behind: tuple[Upstream, str]) -> Iterator[Callable[..., str]]:
    """Proxies that several tests use, by their policies."""
    with ExitStack() as stack:
        made: dict[str, str] = {}

        def proxy(name: str, *policies: Any) -> str:
            if name not in made:
                made[name] = stack.enter_context(proxy_of(behind[1], *policies))
            return made[name]

        yield proxy


_SCRIPTED = Scripted()


@pytest.fixture
def scripted(shared: Callable[..., str]) -> tuple[Scripted, str]:
    """A policy that does what the test says, and a proxy that has it."""
    proxy = shared("scripted", _SCRIPTED)
    metric(proxy, "simpy_running_requests")
    _SCRIPTED.reset()
    return _SCRIPTED, proxy


def metric(proxy: str, name: str) -> float:
    """The sum over all labels, once all requests are done with."""

    def read() -> str:
        return httpx.get(f"{proxy.removesuffix('/v1')}/metrics", verify=False).text

    wait_for(lambda: "simpy_running_requests 0.0" in read())
    page = read()
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE))


# ------------------------------------------------------------------------------------------------- requests and questions


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (CHAT, {"model": "m", "messages": [{"role": "user", "content": "hi"}], "simpy_until": "block", "n": 2}),
        (COMPLETIONS, {"prompt": ["x = "], "model": "m", "suffix": "y", "echo": False}),
        (MESSAGES, {"system": "s", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}], "max_tokens": 3}),
        (RESPONSES, {"model": "m", "input": "hi", "instructions": "i"}),
        (RESPONSES, {"model": "m", "input": [{"role": "user", "content": "hi"}, {"type": "function_call_output", "output": "1"}]}),
    ],
)
def test_a_question_gives_its_request_back(path: str, request_: dict[str, Any]) -> None:
    question = question_of(path, request_)
    assert question is not None
    assert json.dumps(request_of(request_, question, question)) == json.dumps(request_)
    cold = request_of(request_, question, changed(question, temperature=0))
    assert json.dumps(cold) == json.dumps({**request_, "temperature": 0})


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        (COMPLETIONS, {"prompt": [1, 2]}),
        (COMPLETIONS, {"prompt": ["a", "b"]}),
        (COMPLETIONS, {"prompt": "a", "suffix": 7}),
        (CHAT, {"messages": ["hi"]}),
        (CHAT, {"messages": [], "simpy_until": "loop"}),
        (RESPONSES, {"input": "hi", "simpy_until": "block"}),
        (RESPONSES, {"model": "m"}),
        ("/embeddings", {"input": "hi"}),
        ("/messages/count_tokens", {"messages": []}),
    ],
)
def test_what_is_no_question(path: str, request_: dict[str, Any]) -> None:
    assert question_of(path, request_) is None


def test_tenants_are_told_apart() -> None:
    one = tenant_of([(b"authorization", b"Bearer a"), (b"accept", b"x")], "up")
    assert one == tenant_of([(b"Authorization", b"bearer  a")], "up")
    others = [
        tenant_of([(b"authorization", b"Bearer b")], "up"),
        tenant_of([], "up"),
        tenant_of([(b"authorization", b"Bearer a")], "other"),
        tenant_of([(b"authorization", b"Bearer a"), (b"anthropic-beta", b"x")], "up"),
    ]
    names = (b"Cookie", b"proxy-authorization", b"x-goog-api-key", b"api-key", b"x-simpy-convert")
    others += [tenant_of([(b"authorization", b"Bearer a"), (name, value)], "up") for name in names for value in (b"x", b"y")]
    assert len({one, *others}) == 15


def test_policies_see_what_the_person_wrote(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    policy = Scripted()
    with proxy_of(behind[1], policy) as proxy:
        assert text_of(ask(proxy, suffix=None, max_tokens=5)) == PYTHON
        ask(proxy, headers={"authorization": "Bearer other"})
        httpx.get(f"{proxy}/models", verify=False)
        ask(proxy, prompt=[1, 2])
    first, second = policy.questions
    assert (first.task, first.prefix, first.path, first.dialect) == ("complete", PROMPT, COMPLETIONS, "classic")
    assert first.options == {"model": "m", "max_tokens": 5}
    assert first.tenant != second.tenant and first.tenant != "k"
    assert len(upstream.seen) == 4
    answer = policy.answers[0]
    assert (answer.text, answer.python, answer.stopped, answer.tokens, answer.notes) == (ANSWER, PYTHON, "end", 4, 0)
    assert (answer.body, answer.media_type) == (upstream.reply.steps[0], "application/json")
    assert not any(name.startswith("MainThread") for name in policy.threads)
    assert policy.closed


def test_a_changed_question_is_what_the_upstream_gets(scripted: tuple[Scripted, str], upstream: Upstream) -> None:
    policy, proxy = scripted
    policy.decide = lambda question: Ask(replace(changed(question, temperature=0), prefix="def g(b):\n    return "), "colder")
    answer = ask(proxy)
    assert upstream.seen[0].json == {"model": "m", "prompt": "<def_stmt>g b<block_start><return>", "temperature": 0}
    assert answer.headers["x-simpy-policies"] == "scripted: colder"
    assert metric(proxy, "simpy_policy_decisions_total") >= 1


# ------------------------------------------------------------------------------------------------- answers of policies


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_refusal_is_an_empty_answer_that_says_why(shared: Callable[..., str], upstream: Upstream, path: str, streamed: bool) -> None:
    proxy = shared("refusing", Refusing("too late, naïve"))
    answer = ask(proxy, path, stream=streamed)
    assert answer.status_code == 200 and answer.headers["x-simpy-policies"] == "refusing: too late, na%C3%AFve"
    assert answer.text.count("simpy_notes") == 1 and "too late, na" in answer.text
    common: dict[str, Any] = {"api_key": "k", "max_retries": 0, "timeout": LONG}
    if path != MESSAGES:
        client = pytest.importorskip("openai").OpenAI(base_url=proxy, http_client=httpx.Client(verify=False), **common)
        if path in (CHAT, COMPLETIONS):
            api = client.chat.completions if path == CHAT else client.completions
            found = api.create(**ASKED[path], stream=streamed)
            choices = [chunk.choices[0] for chunk in found] if streamed else [found.choices[0]]
            assert choices[-1].finish_reason == "stop"
            held = [choice if path == COMPLETIONS else choice.delta if streamed else choice.message for choice in choices]
            assert not "".join((one.text if path == COMPLETIONS else one.content) or "" for one in held)
        else:
            found = client.responses.create(**ASKED[path], stream=streamed)
            last = list(found)[-1].response if streamed else found
            assert (last.output_text, last.status) == ("", "completed")
    else:
        client = pytest.importorskip("anthropic").Anthropic(base_url=proxy.removesuffix("/v1"), **common)
        if streamed:
            with client.messages.stream(**{**ASKED[path], "max_tokens": 5}) as messages:
                message = messages.get_final_message()
        else:
            message = client.messages.create(**{**ASKED[path], "max_tokens": 5})
        assert (message.content, message.stop_reason) == ([], "end_turn")
    client.close()
    assert not upstream.seen
    assert metric(proxy, "simpy_policy_avoided_tokens_total") > 0
    assert metric(proxy, "simpy_reported_tokens_total") == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_text_that_a_policy_gives_is_converted(scripted: tuple[Scripted, str], upstream: Upstream, path: str, streamed: bool) -> None:
    policy, proxy = scripted
    text = "a+1<block_end>" if path == COMPLETIONS else "So:\n```python\n<return>a+1\n```\n"
    python = "a + 1\\n" if path == COMPLETIONS else "return a + 1\\n"
    policy.decide = lambda question: Give(Answer(text, stopped="end"), "known")
    answer = ask(proxy, path, stream=streamed)
    assert answer.status_code == 200 and python in answer.text and "simpy_notes" not in answer.text
    assert answer.headers["content-type"] == ("text/event-stream" if streamed else "application/json")
    assert not upstream.seen


def replies() -> list[tuple[Reply, dict[str, Any]]]:
    whole = events("a+", "1<block", "_end>")
    return [
        (completion(ANSWER), {}),
        (stream(whole + b"data: [DONE]\n\n"), {"stream": True}),
        (stream(whole[:70], 0.02, whole[70:] + b"data: [DONE]\n\n"), {"stream": True}),
        (completion(ANSWER, logprobs={"token_logprobs": [-1.0]}), {"logprobs": 1}),
    ]


@pytest.mark.parametrize("reply, fields", replies())
def test_what_is_given_again_is_what_was_given(
    shared: Callable[..., str], upstream: Upstream, reply: Reply, fields: dict[str, Any]
) -> None:
    upstream.reply = reply
    proxy = shared(f"remembering {fields} {len(reply.steps)}", Remembering())
    first = ask(proxy, **fields)
    metric(proxy, "simpy_requests_total")
    second = ask(proxy, **fields)
    assert (text_of(first), text_of(second)) == (PYTHON, PYTHON) and len(upstream.seen) == 1
    assert first.headers["content-type"].partition(";")[0] == second.headers["content-type"]
    if not fields.get("stream"):
        assert first.content == second.content
    ask(proxy, **fields, headers={"authorization": "Bearer other"})
    assert len(upstream.seen) == 2


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_cut_is_given_again_as_it_was_cut(behind: tuple[Upstream, str], upstream: Upstream, order: int, streamed: bool) -> None:
    text = "a+1<block_end><def_stmt>g<block_start><pass><block_end>"
    upstream.reply = stream(events(text[:5], text[5:], reason=None), STALL) if streamed else completion(text)
    policies = [Remembering(), "stop"] if order else ["stop", Remembering()]
    with proxy_of(behind[1], *policies) as proxy:
        first = ask(proxy, stream=streamed)
        metric(proxy, "simpy_requests_total")
        second = ask(proxy, stream=streamed)
        assert (text_of(first), text_of(second)) == (PYTHON, PYTHON) and len(upstream.seen) == 1
        for answer in (first, second):
            assert '"simpy_stopped":"until"' in answer.text


@pytest.mark.parametrize(
    "reply",
    [
        stream(events("a+1", reason=None)),
        stream(events("a+1", reason=None), DIE),
        Reply([b"{}"], status=429),
        Reply([b'{"choices": [']),
        stream(events("a+1", reason=None) + b'data: {"error": {"message": "no"}}\n\n'),
    ],
)
def test_what_is_no_whole_answer_is_not_shown(scripted: tuple[Scripted, str], upstream: Upstream, reply: Reply) -> None:
    policy, proxy = scripted
    upstream.reply = reply
    ask(proxy, stream=True)
    metric(proxy, "simpy_requests_total")
    assert policy.questions and not policy.answers


def test_a_very_large_answer_is_not_shown(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    upstream.reply = completion("a" * 500)
    policy = Scripted(holds=True)
    with proxy_of(behind[1], policy, max_answer=300) as proxy:
        assert "a" * 500 in ask(proxy).text
    assert not policy.answers


# ------------------------------------------------------------------------------------------------- other models, asking again


def small_first(**options: Any) -> Scripted:
    policy = Scripted(holds=True, **options)
    policy.decide = lambda question: Ask(replace(question, model="small"), "the small one first")
    policy.judge = lambda question, answer: Ask(question, "not good") if "bad" in answer.text and answer.model else None
    policy.rescue = lambda question, error: Ask(question, f"it failed: {error.message}")
    return policy


@pytest.fixture(scope="module")
def two_models(behind: tuple[Upstream, str], beside: tuple[Upstream, str]) -> Iterator[tuple[Scripted, str]]:
    """A policy that asks a model of another server first, and a proxy that has it."""
    policy = small_first(models={"small": f"{beside[1]}#tiny"})
    with proxy_of(behind[1], policy) as proxy:
        yield policy, proxy


@pytest.mark.parametrize("streamed", [False, True])
def test_another_model_and_the_first_again(two_models: tuple[Scripted, str], upstream: Upstream, other: Upstream, streamed: bool) -> None:
    _, proxy = two_models
    counted = ("simpy_reported_tokens_total", "simpy_unreported_answers_total")
    before = [metric(proxy, name) for name in counted]
    other.reply = stream(events("good")) if streamed else completion("good")
    answer = ask(proxy, stream=streamed, headers={"cookie": "c=1", "x-api-key": "k2", "openai-organization": "o"})
    assert text_of(answer).strip() == "good" and not upstream.seen
    seen = other.seen[0]
    assert seen.json["model"] == "tiny"
    assert not {"authorization", "x-api-key", "cookie", "openai-organization"} & set(seen.headers)
    other.reply = stream(events("bad")) if streamed else completion("bad")
    upstream.reply = stream(events("a+", "1<block_end>")) if streamed else completion(ANSWER)
    answer = ask(proxy, stream=streamed)
    assert "bad" not in answer.text and text_of(answer) == PYTHON
    assert upstream.seen[0].json["model"] == "m" and upstream.seen[0].headers["authorization"] == "Bearer k"
    assert answer.headers["x-simpy-policies"] == "scripted: the small one first; scripted: not good"
    more = [metric(proxy, name) - count for name, count in zip(counted, before, strict=True)]
    assert more == ([0, 3] if streamed else [39, 0])


def test_the_key_for_another_server(
    behind: tuple[Upstream, str], beside: tuple[Upstream, str], upstream: Upstream, other: Upstream
) -> None:
    keys = ((beside[1].removesuffix("/v1"), "theirs"),)
    with proxy_of(behind[1], small_first(models={"small": f"{beside[1]}#tiny"}), policy_keys=keys) as proxy:
        ask(proxy)
    assert other.seen[0].headers["authorization"] == "Bearer theirs"


def test_another_model_of_the_same_server(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    with proxy_of(behind[1], small_first(models={"small": "tiny"})) as proxy:
        ask(proxy)
        assert upstream.seen[0].json["model"] == "tiny" and upstream.seen[0].headers["authorization"] == "Bearer k"
        where = proxy.removesuffix("/v1") + "/openai/deployments/large/completions?api-version=1"
        httpx.post(where, json={"model": "m", "prompt": PROMPT}, timeout=LONG, verify=False)
        assert upstream.seen[1].target == "/openai/deployments/tiny/completions?api-version=1"


BROKEN = "the upstream broke off or sent what is not HTTP (RemoteProtocolError)"


@pytest.mark.parametrize(
    ("reply", "said", "streamed"),
    [
        (Reply([b"{}"], status=404), "the model small answered 404", False),
        (Reply([], status=302, headers={"location": "http://127.0.0.1:9"}), "the model small answered 302", False),
        (Reply([b'{"a":', DIE]), BROKEN, False),
        (Reply([DIE]), BROKEN, False),
        (stream(events("half", reason=None), DIE), f"{BROKEN} (RemoteProtocolError)", True),
    ],
)
def test_where_another_model_fails_the_upstream_is_asked(
    two_models: tuple[Scripted, str], upstream: Upstream, other: Upstream, reply: Reply, said: str, streamed: bool
) -> None:
    other.reply = reply
    upstream.reply = stream(events("a+", "1<block_end>")) if streamed else completion(ANSWER)
    answer = ask(two_models[1], stream=streamed)
    assert (answer.status_code, text_of(answer)) == (200, PYTHON) and "half" not in answer.text
    assert answer.headers["x-simpy-policies"] == f"scripted: the small one first; scripted: it failed: {said}"
    assert (len(other.seen), len(upstream.seen)) == (1, 1)
    upstream.reply = Reply([b'{"error": "full"}'], status=429, headers={"content-type": "application/json", "retry-after": "7"})
    answer = ask(two_models[1], stream=streamed)
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, '{"error": "full"}', "7")


FAILED = {"error": {"message": "the secret of that server", "code": 500}}
ERRORS = [
    Reply([json.dumps(FAILED).encode()], headers={"content-type": "application/json"}),
    stream(events("half", reason=None), b"data: " + json.dumps(FAILED).encode() + b"\n\n"),
]


@pytest.mark.parametrize("reply", ERRORS)
def test_an_error_with_the_status_of_success_is_a_failure(
    two_models: tuple[Scripted, str], upstream: Upstream, other: Upstream, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    policy, proxy = two_models
    streamed = reply is ERRORS[1]
    other.reply = reply
    upstream.reply = stream(events("a+", "1<block_end>")) if streamed else completion(ANSWER)
    answer = ask(proxy, stream=streamed)
    assert (answer.status_code, text_of(answer)) == (200, PYTHON) and "half" not in answer.text
    assert answer.headers["x-simpy-policies"].endswith("it failed: the model small answered with an error")
    upstream.reply = reply  # now both fail: the error of the upstream is for the client
    assert "secret" in ask(proxy, stream=streamed).text
    monkeypatch.setattr(policy, "rescue", lambda question, error: None)  # and that of another server is not
    answer = ask(proxy, stream=streamed)
    assert answer.status_code == 502 and "secret" not in answer.text and "half" not in answer.text


def test_a_policy_that_looks_at_failures_only_is_told_of_errors(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    class Spare(Policy):
        name = "spare"
        holds = True
        models = {"spare": "spare"}

        def failed(self, question: Question, error: SimPyError) -> Ask:
            return Ask(replace(question, model="spare"), error.message)

    upstream.reply = ERRORS[0]
    with proxy_of(behind[1], Spare()) as proxy:
        assert "secret" in ask(proxy).text
    assert [seen.json["model"] for seen in upstream.seen] == ["m", "spare"]


@pytest.mark.parametrize("holds", [False, True])
def test_the_failure_of_a_model_is_the_persons_where_no_policy_asks_another(
    behind: tuple[Upstream, str], beside: tuple[Upstream, str], upstream: Upstream, other: Upstream, holds: bool
) -> None:
    policy = small_first(models={"small": f"{beside[1]}#tiny"})
    policy.holds = holds
    with proxy_of(behind[1], policy) as proxy:
        for reply in (Reply([b"the secret of that server"], status=401), Reply([DIE])):
            for rescue in (lambda question, error: None, broken) if holds else (policy.rescue,):
                other.reply, policy.rescue = reply, rescue
                answer = ask(proxy)
                assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error") and "secret" not in answer.text
    assert len(policy.failures) == (4 if holds else 0) and not upstream.seen  # one that does not hold may ask no other


def test_the_upstream_may_fail_too(upstream: Upstream, shared: Callable[..., str]) -> None:
    policy = Scripted(holds=True, models={"spare": "spare"})
    policy.rescue = lambda question, error: Ask(replace(question, model="spare"), error.message)
    upstream.reply = Reply([b"{}"], status=500)
    answer = ask(shared("spare", policy))
    assert answer.status_code == 500 and [seen.json["model"] for seen in upstream.seen] == ["m", "spare"]


def test_folders_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "small").mkdir(parents=True)
    for name in ("models/small", "./nowhere", "../nowhere", "/nowhere"):
        with pytest.raises(SimPyError, match="asks a model in a folder"):
            create_server(Settings("http://127.0.0.1:9", policies=(f"cascade:small={name}",)))
    create_server(Settings("http://127.0.0.1:9", policies=("cascade:small=someone/small",)))


def test_models_of_this_process_cannot_be_asked(behind: tuple[Upstream, str]) -> None:
    policy: Any = Scripted(models={"small": object()})  # type: ignore[dict-item]  # what is tested
    with pytest.raises(SimPyError, match="asks a model of this process"):
        create_server(Settings(behind[1], policies=(policy,)))
    assert policy.closed
    with pytest.raises(SimPyError, match="no policy 'thrift'"):
        create_server(Settings(behind[1], policies=("thrift",)))


# ------------------------------------------------------------------------------------------------- probabilities of tokens


def test_probabilities_are_asked_for_and_taken_out(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    policy = Scripted(logprobs=True)
    with proxy_of(behind[1], policy) as proxy:
        upstream.reply = completion(ANSWER, logprobs={"tokens": ["a", "b"], "token_logprobs": [-1.0, -2.0]})
        answer = ask(proxy)
        assert upstream.seen[0].json["logprobs"] == 1
        assert answer.json()["choices"][0]["logprobs"] is None and text_of(answer) == PYTHON
        wait_for(lambda: len(policy.answers) == 1)
        assert policy.answers[0].logprob == -1.5 and b"token_logprobs" not in policy.answers[0].body
        answer = ask(proxy, logprobs=2)
        assert answer.json()["choices"][0]["logprobs"]["token_logprobs"] == [-1.0, -2.0]
        wait_for(lambda: len(policy.answers) == 2)
        assert policy.answers[1].logprob == -1.5 and upstream.seen[1].json["logprobs"] == 2
        said = [
            {"index": 0, "delta": {"content": "hi"}, "logprobs": {"content": [{"token": "hi", "logprob": -0.5}]}, "finish_reason": None}
        ]
        data = b"data: " + json.dumps({"choices": said}).encode() + b"\n\n" + chat_events()
        upstream.reply = stream(data[:50], 0.02, data[50:])
        answer = ask(proxy, CHAT, stream=True)
        assert upstream.seen[2].json["logprobs"] is True
        assert '"logprob"' not in answer.text and '"hi"' in answer.text
        wait_for(lambda: len(policy.answers) == 3)
        assert policy.answers[2].logprob == -0.5


def test_an_upstream_that_knows_no_probabilities_is_asked_without(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    policy = Scripted(logprobs=True)
    upstream.reply = Reply([b'{"error": {"message": "logprobs?"}}'], status=400)
    with proxy_of(behind[1], policy) as proxy:
        assert ask(proxy).status_code == 400
    assert ["logprobs" in seen.json for seen in upstream.seen] == [True, False]


# ------------------------------------------------------------------------------------------------- faults of policies


def broken(*_: Any) -> Any:
    raise RuntimeError("a secret of the prompt")


def test_a_fault_of_a_policy_costs_nobody_an_answer(
    behind: tuple[Upstream, str], upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    policy = Scripted()
    policy.decide = policy.judge = broken
    policy.close = broken  # type: ignore[method-assign]  # that is what is tested
    with proxy_of(behind[1], policy) as proxy:
        answer = ask(proxy)
        assert (answer.status_code, text_of(answer)) == (200, PYTHON)
        assert "x-simpy-policies" not in answer.headers
        assert metric(proxy, "simpy_policy_decisions_total") == 2
    assert "the policy scripted failed" in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize(
    "decide",
    [
        lambda question: "nonsense",
        lambda question: Ask(replace(question, model="nowhere"), "?"),
        lambda question: Ask(replace(question, until="loop"), "?"),
    ],
)
def test_decisions_that_cannot_be_carried_out(scripted: tuple[Scripted, str], upstream: Upstream, decide: Any) -> None:
    policy, proxy = scripted
    policy.decide = decide
    answer = ask(proxy)
    assert (answer.status_code, text_of(answer)) == (200, PYTHON)


def test_a_client_that_leaves_while_policies_decide_is_accounted_for(
    behind: tuple[Upstream, str], upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    decided = threading.Event()
    policy = Scripted()

    def wait(question: Question) -> None:
        decided.wait(LONG)

    policy.decide = wait
    with proxy_of(behind[1], policy) as proxy:
        try:
            with pytest.raises(httpx.TimeoutException):
                httpx.post(f"{proxy}{COMPLETIONS}", json=ASKED[COMPLETIONS], timeout=0.3, verify=False)
            assert metric(proxy, "simpy_disconnects_total") == 1
            assert [record.levelname for record in caplog.records if "policies" in record.message] == []
        finally:
            decided.set()
    assert policy.questions and not upstream.seen


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_made_here_has_a_bounded_number_of_choices(path: str, streamed: bool) -> None:
    made, _ = own_answer(path, {"n": 10**12, "stream": streamed}, "x")
    assert made.count(b'"finish_reason":"stop"') == 128


def test_any_numbers_of_a_request_can_be_counted(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    upstream.reply = stream(events("a+", "1<block_end>", "b"))
    with proxy_of(behind[1], "stop") as proxy:
        assert ask(proxy, stream=True, n=10**400, max_tokens=10**400).status_code == 200
        assert 0 < metric(proxy, "simpy_unspent_tokens_total") <= 1 << 20


def test_reasons_fit_into_a_header(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    with proxy_of(behind[1], Refusing("a\r\nb: \udc80;" + "ü" * 5000)) as proxy:
        answer = ask(proxy)
        shown = answer.headers["x-simpy-policies"]
        assert len(shown) <= 1024 and shown.startswith("refusing: a%0D%0Ab: ") and re.fullmatch(r"(%[0-9A-F]{2}|[ -$&-~])*", shown)
        assert answer.status_code == 200


# ------------------------------------------------------------------------------------------------- the command


def chosen(*words: str, file: str = "", environment: str = "", tmp_path: Path) -> argparse.Namespace:
    """What ``simpy serve`` makes of these words, this file and this variable."""
    parser = argparse.ArgumentParser()
    add_options(parser, OPTIONS)
    given = vars(parser.parse_args(words))
    if file:
        (tmp_path / "serve.toml").write_text(file, encoding="utf-8")
        given["config"] = str(tmp_path / "serve.toml")
    return read_options(OPTIONS, given, {"SIMPY_SERVE_POLICY": environment} if environment else {}, PREFIX)


def test_the_option_in_all_places(tmp_path: Path) -> None:
    both = ("cache:file=a,size=3", "stop")
    assert chosen("--policy", both[0], "--policy", "stop", tmp_path=tmp_path).policy == both
    assert chosen(environment="cache:file=a,size=3; stop", tmp_path=tmp_path).policy == both
    assert chosen(file='policy = ["cache:file=a,size=3", "stop"]', tmp_path=tmp_path).policy == both
    assert chosen(file='policy = "cache:file=a,size=3"', tmp_path=tmp_path).policy == both[:1]
    found = chosen("--policy-key", "http://a:1/v1=k=1", tmp_path=tmp_path)
    assert (found.policy, found.policy_key) == ((), (("http://a:1/v1", "k=1"),))
    for wrong in ("a=k", "http://a", "http://a="):
        with pytest.raises(SimPyError):
            chosen(file=f'policy-key = ["{wrong}"]', tmp_path=tmp_path)


def test_settings_do_not_show_the_keys() -> None:
    assert "secret" not in repr(Settings("http://a", policy_keys=(("http://b", "secret"),)))


def test_new_settings_open_policies_anew(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    old, new = Scripted(), Scripted()
    old.decide = new.decide = lambda question: Refuse("no")
    server = create_server(Settings(behind[1], policies=(old,), grace=1.0))
    with running(server) as port:
        proxy = f"http://127.0.0.1:{port}/v1"
        ask(proxy)
        with pytest.raises(SimPyError, match="no policy 'thrift'"):
            server.service.change(Settings(behind[1], policies=(new, "thrift")))
        assert new.closed and not old.closed
        new.closed = False
        server.service.change(Settings(behind[1], policies=(new,)))
        wait_for(lambda: old.closed)
        ask(proxy)
        assert (len(old.questions), len(new.questions)) == (1, 1)
        server.service.change(Settings(behind[1]))
        wait_for(lambda: new.closed)
        assert "x-simpy-policies" not in ask(proxy).headers


# ------------------------------------------------------------------------------------------------- without policies, and stop


def test_the_bytes_are_the_same(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    found, sent = [], []
    for policies in ((), (Scripted(),)):
        with proxy_of(behind[1], *policies) as proxy:
            for reply, fields in replies():
                upstream.reply = reply
                answer = ask(proxy, **fields, headers={"x-request-id": "1"})
                found.append(
                    (
                        text_of(answer) if fields.get("stream") else answer.content,
                        sorted(header for header in answer.headers.items() if header[0] != "date"),
                    )
                )
            sent += [seen.body for seen in upstream.seen]
            upstream.seen.clear()
    assert found[: len(found) // 2] == found[len(found) // 2 :] and sent[: len(sent) // 2] == sent[len(sent) // 2 :]


def test_no_question_is_made_without_policies(behind: tuple[Upstream, str], upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Question, "__init__", broken)
    with proxy_of(behind[1]) as proxy:
        assert text_of(ask(proxy)) == PYTHON


def test_stop_cuts_the_stream_and_closes_the_upstream(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    text = "a+1<block_end><def_stmt>g<block_start><pass><block_end>"
    with proxy_of(behind[1]) as proxy:
        upstream.reply = completion(text)
        whole = text_of(ask(proxy))
    assert whole.startswith(PYTHON) and "def g" in whole
    with proxy_of(behind[1], "stop") as proxy:
        for size in (1, 3, len(text)):
            upstream.left.clear()
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            upstream.reply = stream(events(*pieces, reason=None), STALL)
            answer = ask(proxy, stream=True, max_tokens=100)
            assert text_of(answer) == PYTHON and answer.headers["x-simpy-policies"] == "stop: until the block ends"
            assert upstream.left.wait(LONG), "the upstream goes on"
        assert metric(proxy, "simpy_unspent_tokens_total") > 200
        upstream.reply = completion("a\n<block_end>")
        ask(proxy, simpy_until="statement")
        assert "x-simpy-policies" not in ask(proxy, MESSAGES).headers


def chose(*reasons: str | None) -> dict[str, Any]:
    return {"choices": [{"index": index, "finish_reason": reason} for index, reason in enumerate(reasons)]}


LONGEST = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}


@pytest.mark.parametrize(
    ("path", "answers", "outcome"),
    [
        (
            CHAT,
            [{"choices": [{"index": 0, "finish_reason": "tool_calls"}, {"index": 1, "finish_reason": "length"}]}],
            Outcome(True, "length"),
        ),
        (CHAT, [chose("content_filter")], Outcome(True, "content_filter")),
        (COMPLETIONS, [{"choices": [{"index": 0, "finish_reason": "stop", "stop_reason": "\n\n"}]}], Outcome(True, "stop")),
        (COMPLETIONS, [chose("stop", None)], Outcome(False)),
        (MESSAGES, [{"type": "message", "stop_reason": "end_turn"}], Outcome(True, "end")),
        (MESSAGES, [{"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}, {"type": "message_stop"}], Outcome(True, "length")),
        (MESSAGES, [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}], Outcome(False)),
        (RESPONSES, [{"object": "response", "status": "completed", "error": None}], Outcome(True, "end")),
        (
            RESPONSES,
            [{"response": LONGEST}],
            Outcome(True, "length"),
        ),
        (RESPONSES, [{"object": "response", "status": "queued"}], Outcome(False)),
        (RESPONSES, [{"type": "error", "message": "no"}], Outcome(False)),
        (CHAT, [], Outcome(False)),
    ],
)
def test_how_answers_end(path: str, answers: list[dict[str, Any]], outcome: Outcome) -> None:
    assert outcome_of(path, answers) == outcome


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("stopped", ["end", "length"])
def test_answers_that_are_made_here_say_how_they_ended(path: str, streamed: bool, stopped: str) -> None:
    body, _ = own_answer(path, {"model": "m", "stream": streamed, "stream_options": {"include_usage": True}}, "text", stopped=stopped)
    found = [json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")] if streamed else [json.loads(body)]
    assert outcome_of(path, found) == Outcome(True, stopped)


def test_a_policy_may_refuse_after_another_has_changed(behind: tuple[Upstream, str], upstream: Upstream) -> None:
    policy = Scripted()
    policy.decide = lambda question: Ask(changed(question, temperature=0), "colder")
    with proxy_of(behind[1], policy, Refusing("no")) as proxy:
        answer = ask(proxy)
        assert answer.headers["x-simpy-policies"] == "scripted: colder; refusing: no"
        wait_for(lambda: policy.answers)
    assert policy.answers[0].stopped == "refused" and policy.answers[0].by == "refusing"
    assert isinstance(Refusing("no").before(policy.questions[0]), Refuse)
