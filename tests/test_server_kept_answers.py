"""The policies of the project in `simpy serve`: what each keeps, refuses or asks of another model, between a client and an upstream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dualcode.policies.ledger_file import LedgerFile
from dualcode.policies.refuse_features import FEATURES
from dualcode.policies.refuse_trees import Estimator
from simpy_cli.main import main
from tests.policed_proxies import ANSWER, PYTHON, ask, completion, events, proxy_of, text_of
from tests.scripted_upstream import DIE, Reply, Upstream, stream, upstream_server, wait_for

GREEDY: dict[str, Any] = {"temperature": 0}
ANEW = "def f( a ):\n  return "  # the usual prompt, laid out in another way


@pytest.fixture(scope="module")
def servers() -> Iterator[list[tuple[Upstream, str]]]:
    """Two upstreams and their URLs."""
    with upstream_server() as one, upstream_server() as other:
        yield [one, other]


@pytest.fixture
def two(servers: list[tuple[Upstream, str]]) -> list[tuple[Upstream, str]]:
    for app, _ in servers:
        app.seen.clear()
        app.reply = completion(ANSWER)
    return servers


def said(answer: Any) -> str:
    """What policies say of an answer."""
    return str(answer.headers.get("x-simpy-policies", ""))


def kept(folder: Path) -> int:
    """How many records a ledger has."""
    path = folder / "ledger.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


# ------------------------------------------------------------------------------------------------------------------ cache


def test_an_answer_is_given_again_to_a_question_laid_out_anew(two: list[tuple[Upstream, str]], tmp_path: Path) -> None:
    [(upstream, url), _] = two
    with proxy_of(url, "ledger:file=" + str(tmp_path / "ledger.jsonl"), f"cache:file={tmp_path / 'answers.sqlite'}") as proxy:

        def asked(number: int, **fields: Any) -> Any:
            """An answer, once the policies have seen it, after which the upstream has seen so many requests."""
            records = kept(tmp_path)
            answer = ask(proxy, **{**GREEDY, **fields})
            assert len(upstream.seen) == number
            wait_for(lambda: answer.status_code != 200 or kept(tmp_path) > records)
            return answer

        upstream.reply = Reply([b'{"error": {"message": "no"}}'], status=500)
        assert asked(1).status_code == asked(2).status_code == 500
        upstream.reply = completion(ANSWER)
        first = asked(3)
        assert text_of(first) == PYTHON and "cache" not in said(first)
        upstream.reply = completion("b<block_end>")
        same, anew = asked(3), asked(3, prompt=ANEW)
        assert same.content == first.content and text_of(anew) == PYTHON
        assert said(same).endswith("; cache: hit") and said(anew).endswith("; cache: hit, laid out anew")
        assert text_of(asked(4, headers={"authorization": "Bearer other"})) == "b\n"
        assert text_of(asked(5, prompt=ANEW.replace("a", "b"))) == "b\n"
        assert text_of(asked(6, temperature=0.5)) == "b\n"
        upstream.reply = stream(events("a+", "1<block", "_end>") + b"data: [DONE]\n\n")
        first = asked(7, stream=True)
        upstream.reply = stream(DIE)
        for prompt, hit in (({}, "hit"), ({"prompt": ANEW}, "hit, laid out anew")):
            again = asked(7, stream=True, **prompt)
            assert text_of(again) == text_of(first) == PYTHON and said(again).endswith(f"; cache: {hit}")
            assert again.headers["content-type"].startswith("text/event-stream") and again.text.endswith("data: [DONE]\n\n")


def test_upstreams_do_not_share_what_they_answered(two: list[tuple[Upstream, str]], tmp_path: Path) -> None:
    [(one, url), (other, other_url)] = two
    other.reply = completion("b<block_end>")
    cache = f"cache:file={tmp_path / 'answers.sqlite'}"
    found = []
    for upstream, settings in ((url, {}), (other_url, {}), (url, {"numbers": False}), (other_url, {})):
        with proxy_of(upstream, cache, **settings) as proxy:
            found.append(text_of(ask(proxy, **GREEDY)))
    assert found == [PYTHON, "b\n", PYTHON, "b\n"]
    assert (len(one.seen), len(other.seen)) == (2, 1)


def test_a_policy_with_another_model_does_not_share_either(two: list[tuple[Upstream, str]], tmp_path: Path) -> None:
    [(upstream, url), _] = two
    for model in ("tiny", "small", "tiny"):
        with proxy_of(url, f"cascade:small={model}", f"cache:file={tmp_path / 'answers.sqlite'}") as proxy:
            assert text_of(ask(proxy, **GREEDY)) == PYTHON
    assert [seen.json["model"] for seen in upstream.seen] == ["tiny", "small"]


# ----------------------------------------------------------------------------------------------------------------- ledger


@pytest.mark.parametrize("streamed", [False, True])
def test_a_ledger_has_the_record_that_the_header_names(
    two: list[tuple[Upstream, str]], tmp_path: Path, streamed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    [(upstream, url), _] = two
    upstream.reply = stream(events("a+", "1<block_end>")) if streamed else completion(ANSWER)
    file = tmp_path / "ledger.jsonl"
    with proxy_of(url, f"ledger:file={file}") as proxy:
        answer = ask(proxy, stream=streamed)
        wait_for(lambda: kept(tmp_path) == 1)
    [number] = re.fullmatch(r"ledger: id (\w+)", said(answer)).groups()  # type: ignore[union-attr]  # no match is a failure
    [record] = LedgerFile(file).records()
    assert (record["id"], record["prefix"], record["text"], record["python"]) == (number, "def f(a):\n    return ", ANSWER, PYTHON)
    assert record["kept"] is None and "Bearer" not in file.read_text()
    assert main(["policy", "kept", str(file), number, "yes"]) == 0
    assert [told["kept"] for told in LedgerFile(file).records()] == [True]


# ----------------------------------------------------------------------------------------------------------------- refuse


@pytest.mark.parametrize("streamed", [False, True])
def test_what_would_not_be_kept_is_refused(two: list[tuple[Upstream, str]], tmp_path: Path, streamed: bool) -> None:
    [(upstream, url), _] = two
    brackets = FEATURES.index("brackets")
    file = tmp_path / "refuse.json"
    Estimator((((brackets, 0.5, 1, 2), (-1, -2.0, 0, 0), (-1, 2.0, 0, 0)),), 0.0, 0.5, {}, {}).save(file)
    with proxy_of(url, f"refuse:file={file}") as proxy:
        answer = ask(proxy, stream=streamed)
        assert (answer.status_code, text_of(answer)) == (200, "") and not upstream.seen
        assert said(answer) == "refuse: the answer would be kept with a probability of 0.12, and 0.50 is asked for"
        assert "probability of 0.12" in answer.text and '"finish_reason":"stop"' in answer.text.replace(" ", "")
        upstream.reply = stream(events("a)<block_end>")) if streamed else completion("a)<block_end>")
        answer = ask(proxy, stream=streamed, prompt="x = f(")
        assert text_of(answer).startswith("a)") and said(answer) == "" and len(upstream.seen) == 1


# ---------------------------------------------------------------------------------------------------------------- cascade


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_small_model_answers_first(two: list[tuple[Upstream, str]], elsewhere: bool) -> None:
    [(upstream, url), (other, other_url)] = two
    first = other if elsewhere else upstream
    with proxy_of(url, f"cascade:small={other_url + '#' if elsewhere else ''}tiny,threshold=-0.8") as proxy:

        def asked(reply: Reply, **fields: Any) -> tuple[str, str, list[str]]:
            """The text, what the policy says beside that it asked the small model, and the models that were asked."""
            first.reply = reply
            before = len(upstream.seen), len(other.seen)
            answer = ask(proxy, **fields)
            begun, _, rest = said(answer).partition("; ")
            assert begun == "cascade: the small model first" and answer.status_code == 200
            seen = [*other.seen[before[1] :], *upstream.seen[before[0] :]]
            assert [one.json.get("logprobs") for one in seen] == [1, None][: len(seen)]  # the large one does not have to say it
            return text_of(answer), rest, [one.json["model"] for one in seen]

        def sure(nats: float, text: str = ANSWER, reason: str = "stop") -> Reply:
            return completion(text, reason, logprobs={"token_logprobs": [nats, nats]})

        both = ["tiny", "m"]
        assert asked(sure(-0.2)) == (PYTHON, "", ["tiny"])
        if elsewhere:  # so that the other one may say something else
            upstream.reply = completion("b<block_end>")
            unsure = "cascade: the small model was not sure enough: -0.90 nats a token"
            assert asked(sure(-0.9)) == ("b\n", unsure, both)
            assert asked(sure(-0.1, reason="length")) == ("b\n", "cascade: the small model's answer did not end", both)
            for reply, why in (
                (Reply([b"{}"], status=404), "the model small answered 404"),
                (Reply([DIE]), "the upstream broke off or sent what is not HTTP (RemoteProtocolError)"),
            ):
                assert asked(reply) == ("b\n", f"cascade: the small model failed: {why}", both)
            upstream.reply = stream(events("b<block_end>"))
            text, why, models = asked(stream(events("f("), DIE), stream=True)
            assert (text, models) == ("b\n", both) and why.startswith("cascade: the small model failed: the upstream broke off")
        else:
            assert asked(sure(-0.9))[2] == both
