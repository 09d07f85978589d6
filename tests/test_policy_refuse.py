"""The policy `refuse`: features of any text, trees as scikit-learn has them, thresholds, files that run nothing, and drift."""

from __future__ import annotations

import copy
import json
import logging
import random
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.policies.drift import CHANGED, Distribution, Drift
from dualcode.policies.ledger_file import LedgerFile
from dualcode.policies.protocol import Question
from dualcode.policies.refuse import Refuse
from dualcode.policies.refuse_features import FEATURES, WINDOW, features
from dualcode.policies.refuse_prompts import cuts, is_same, requests
from dualcode.policies.refuse_training import by_precision, by_share, held_out, samples, train
from dualcode.policies.refuse_trees import SCORE, Estimator
from simpy_cli.main import main
from simpy_grammar.errors import SimPyError

LENGTH, BRACKETS = FEATURES.index("length"), FEATURES.index("brackets")
# Kept where a bracket is open, and less often after long lines.
STUMPS = Estimator(
    (((BRACKETS, 0.5, 1, 2), (-1, -1.5, 0, 0), (-1, 1.5, 0, 0)), ((LENGTH, 40.0, 1, 2), (-1, 0.5, 0, 0), (-1, -0.5, 0, 0))),
    0.1,
    0.5,
    {},
    {"held_out": {}},
)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dualcode.policies.refuse_training._TREES", (20, 40))


def named(prefix: str, suffix: str = "") -> dict[str, float]:
    return dict(zip(FEATURES, features(Question("infill" if suffix else "complete", prefix, suffix)), strict=True))


class Ending:
    """A model that ends each statement with a parenthesis."""

    tasks = frozenset(("complete", "infill", "chat"))

    def run(self, request: Request) -> Generator[str, None, None]:
        yield "b)\n" if request.prompt.endswith("(") else ")\n"

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int:
        return len(text)


def ledger_of(path: Path, *, requests: int = 400, files: int = 20, shift: str = "") -> Path:
    """A ledger of requests whose answers are kept where a bracket is open, nearly always."""
    draw, file = random.Random(0), LedgerFile(path)
    for number in range(requests):
        opened = draw.random() < 0.6
        prefix = "".join(f"name_{draw.randrange(9)} = {draw.randrange(99)}\n" for _ in range(draw.randrange(9)))
        prefix = f"{shift}# file {number % files}\n{prefix}{'x = f(' if opened else 'return '}"
        kept = opened != (draw.random() < 0.05)
        file.append({"id": str(number), "task": "complete", "prefix": prefix, "kept": kept, "group": str(number % files)})
    return path


# ---------------------------------------------------------------------------------------------------- features


@pytest.mark.parametrize(
    "prefix, wanted",
    [
        ("", {"length": 0, "brackets": 0, "names_distinct": 1.0}),
        ("x = f(a, [1, 2", {"brackets": 2, "commas": 1, "in_word": True, "equals_in_line": True}),
        ("x = f(a, (", {"commas": 0, "in_bracket": 0}),
        ("if a:\n    ", {"header_ended": True, "indent": 4, "indent_change": 4, "after_blank": True}),
        ("if a", {"header_open": True, "in_word": True}),
        ("if a:\n\n    b", {"blank_before": True, "indent": 4}),
        ("# no (", {"in_comment": True, "brackets": 0, "in_word": False}),
        ("x = 'no (", {"in_string": True, "brackets": 0}),
        ("x = 'no'", {"in_string": False}),
        ("x = 'a\\'", {"in_string": True}),
        ("x = 'a\\\\'", {"in_string": False}),
        ('"""a\nb "', {"in_string": True}),
        ('"""a\nb """', {"in_string": False}),
        ("f(1)\ng(2)\nf", {"seen_1": 1, "follower_1": 1.0, "line_begun_before": True}),
        ("a.b\na.c\na.", {"seen_1": 2, "seen_2": 2, "follower_2": 0.5}),
        ("def f():\n    a\n    b", {"lines_in_scope": 2}),
    ],
)
def test_features_say_what_the_end_looks_like(prefix: str, wanted: dict[str, float]) -> None:
    found = named(prefix)
    assert {name: found[name] for name in wanted} == wanted


def test_only_the_end_of_a_prompt_is_read() -> None:
    end = "".join(f"    line_{number} = {number}\n" for number in range(100))
    assert named("a" * 10_000 + "\n" + end) == named("'''" * 3001 + "\n" + end)
    assert named("x = 1\n" + end)["length"] <= WINDOW
    assert named("x = ", ")\n")["suffix"] == 2 and named("x = ")["suffix"] == 0


def test_any_text_has_features() -> None:
    draw = random.Random(1)
    letters = "ab_19 \t\n\n()[]{}'\"\\#:,.=é\u2028\x00\ud800\U0001f600"
    for size in (0, 1, 2, 3, 10, 100, 1500):
        for _ in range(60):
            found = features(Question("complete", "".join(draw.choice(letters) for _ in range(size))))
            assert len(found) == len(FEATURES) and all(value == value and abs(value) < 1e6 for value in found)


# ----------------------------------------------------------------------------------------------------- deciding


def test_it_refuses_and_says_why() -> None:
    model = DualCode(Ending(), policies=[Refuse(STUMPS)])
    result = model.complete("return ")
    assert (result.text, result.usage.stopped) == ("", "refused")
    assert result.policies == ("refuse: the answer would be kept with a probability of 0.29, and 0.50 is asked for",)
    assert model.complete("x = f(1").text == ")\n"
    assert model.chat([{"role": "user", "content": "return "}]).text == ")\n"


def test_a_higher_threshold_refuses_all_that_a_lower_one_refuses(tmp_path: Path) -> None:
    questions = [Question("complete", record["prefix"]) for record in LedgerFile(ledger_of(tmp_path / "l.jsonl")).records()]
    before: set[int] = set()
    sizes = set()
    for threshold in (0.0, 0.1, 0.25, 0.5, 0.8, 0.9, 1.0):
        policy = Refuse(STUMPS, threshold)
        refused = {number for number, question in enumerate(questions) if policy.before(question) is not None}
        assert before <= refused
        before = refused
        sizes.add(len(refused))
    assert 0 in sizes and len(questions) in sizes and len(sizes) > 3


# ----------------------------------------------------------------------------------------------------- training


def test_thresholds_are_chosen_by_precision_or_by_share() -> None:
    estimates = [number / 100 for number in range(100)]
    kept = [number >= 30 for number in range(100)]
    assert by_precision(estimates, kept, 1.0) == pytest.approx(0.295)
    assert by_precision(estimates, [False] * 100, 0.9) == pytest.approx(0.495)  # half of all at most
    with pytest.raises(SimPyError, match="precision of 0.9: the best that there is has 0.0"):
        by_precision(estimates, [True] * 100, 0.9)
    assert by_share([0.5] * 10, 0.2) == 0.0 and by_share([0.1] + [0.5] * 9, 0.2) == pytest.approx(0.3)
    assert by_share(estimates, 1.0) == 1.0


def test_it_learns_from_a_ledger_and_measures_on_files_that_it_has_not_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    ledger, output = ledger_of(tmp_path / "l.jsonl"), tmp_path / "refuse.json"
    assert main(["policy", "train", str(ledger), "-o", str(output), "--precision", "0.9"]) == 0
    assert "of these not kept" in capsys.readouterr().out
    found = Estimator.load(output)
    held = found.figures["held_out"]
    assert held["precision"][0] > 0.8 and held["area_under_curve"] > 0.85
    assert 0.25 < held["refused_share"][0] < 0.5
    assert held["requests"] + found.figures["trained_on"]["requests"] == 400
    policy = Refuse(str(output))
    begun = "# file 3\nname_1 = 5\nname_2 = 7\nname_1 = 9\n"
    assert policy.before(Question("complete", begun + "return ")) is not None
    assert policy.before(Question("complete", begun + "x = f(")) is None
    first = output.read_bytes()
    assert main(["policy", "train", str(ledger), "-o", str(output), "--precision", "0.9", "-q"]) == 0
    assert output.read_bytes() == first


def test_exported_trees_say_what_the_library_says(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from dualcode.policies import refuse_training

    data = samples(LedgerFile(ledger_of(tmp_path / "l.jsonl")).records())
    model = refuse_training._fitted(data, 30)
    trees, base = refuse_training._exported(model)
    estimator = Estimator(trees, base, 0.5, {}, {})
    expected = model.predict_proba([sample.features for sample in data])[:, 1].tolist()
    assert [estimator.estimate(sample.features) for sample in data] == pytest.approx(expected, abs=1e-9)
    assert len(set(expected)) > 10


def test_requests_of_one_file_are_on_one_side(tmp_path: Path) -> None:
    data = samples(LedgerFile(ledger_of(tmp_path / "l.jsonl", files=40)).records())
    held = held_out(data)
    assert 4 <= len(held) <= 18 and held == held_out(reversed(data))
    beginnings = [{"task": "complete", "prefix": f"# {name}" + "x" * 300 + end, "kept": True} for name in "ab" for end in ("1", "22")]
    assert [sample.group for sample in samples(beginnings)] == [samples(beginnings)[number].group for number in (0, 0, 2, 2)]


def test_what_was_never_answered_teaches_nothing() -> None:
    row = {"task": "complete", "prefix": "x = ", "kept": True}
    others: list[dict[str, Any]] = [{"stopped": "refused"}, {"kept": None}, {"task": "chat"}, {"prefix": ""}, {"prefix": 5}, {"suffix": 5}]
    assert len(samples([row])) == 1 and not samples([row | other for other in others])


def test_too_little_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = ledger_of(tmp_path / "l.jsonl", requests=50)
    assert main(["policy", "train", str(ledger), "-o", str(tmp_path / "x.json")]) == 2
    assert "not enough to learn from" in capsys.readouterr().err and not (tmp_path / "x.json").exists()
    for words in (["train", str(ledger)], ["train", "-o", "x"], ["train", str(ledger), "--from", "x", "-o", "y"], ["drift", "x"]):
        assert main(["policy", *words]) == 2
    with pytest.raises(ValueError, match="precision or share"):
        train([])


# ------------------------------------------------------------------------------------------------- one's own code


def test_statements_are_cut_off_at_lexemes() -> None:
    source = '"""Text."""\nimport os\n\ndef f(ä):\n    """Text."""\n    if ä:\n        return os.path.join("é",\n            ä)\n'
    source += "    x = 1\n    return x\n"
    found = cuts(source, 99)
    assert [cut for cut in found if "Text" in cut.statement] == [] and len(found) == 4
    for cut in found:
        assert source.startswith(cut.prefix) and cut.prefix.endswith(cut.begun)
        rest = cut.statement.removeprefix(cut.begun)
        assert rest and source[len(cut.prefix) :].startswith(rest)
        assert is_same(cut, rest) and is_same(cut, rest + "  # and so on\n") and not is_same(cut, "+")
    assert cuts(source, 2) == found[:2] and cuts("def f(:", 3) == []


def test_a_long_program_is_given_from_a_statement_on() -> None:
    source = "".join(f"x_{number} = {number}\n" for number in range(2000))
    for cut in cuts(source, 50):
        assert len(cut.prefix) < 4_100 and cut.prefix.startswith("x_")


def test_it_learns_from_completions_of_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    from dualcode.backends import registry

    monkeypatch.chdir(tmp_path)
    for number in range(30):
        Path(f"m{number}.py").write_text(f"def f{number}():\n" + "".join(f"    a{line}(b)\n    (b)\n" for line in range(8)))
    [record, *_] = requests(DualCode(Ending()), [("a.py", "print(a)\n")], 1)
    assert (record["group"], record["until"], record["id"]) == ("a.py", "statement", "0")
    monkeypatch.setattr(registry, "open_backend", lambda *_, **__: Ending())
    assert main("policy train --from . --model m --requests 480 --precision 0.9 -o r.json".split()) == 0
    assert "480 requests" in capsys.readouterr().err
    held = Estimator.load(tmp_path / "r.json").figures["held_out"]
    assert held["precision"][0] == 1.0 and held["refused"] > 10 and held["kept"] > 10


# ---------------------------------------------------------------------------------------------------------- files


def test_a_file_is_data_and_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "refuse.json"
    STUMPS.save(path)
    assert Estimator.load(path) == STUMPS
    good = json.loads(path.read_text())

    def damaged(change: Any) -> None:
        content = copy.deepcopy(good)
        change(content)
        path.write_text(json.dumps(content))
        with pytest.raises(SimPyError):
            Estimator.load(path)

    damaged(lambda content: content.update(format="pickle"))
    damaged(lambda content: content["features"].pop())
    damaged(lambda content: content.pop("trees"))
    damaged(lambda content: content["trees"].append([]))
    damaged(lambda content: content["trees"][0][0].__setitem__(2, 0))  # it would be walked for ever
    damaged(lambda content: content["trees"][0][0].__setitem__(3, 99))
    damaged(lambda content: content["trees"][0][0].__setitem__(0, len(FEATURES)))
    damaged(lambda content: content["trees"][0][1].__setitem__(1, "1"))
    damaged(lambda content: content["trees"][0][1].__setitem__(1, float("nan")))
    damaged(lambda content: content.update(threshold=None))
    damaged(lambda content: content.update(known={"length": {"edges": [1], "shares": [1]}}))
    for text in ("", "[", "[]", "[" * 100_000, "\udcff"):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(SimPyError):
            Estimator.load(path)
    with pytest.raises(SimPyError, match="cannot be read"):
        DualCode(Ending(), policies=[f"refuse:file={tmp_path / 'missing.json'}"])


def test_deciding_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "refuse.json"
    STUMPS.save(path)
    for library in ("sklearn", "numpy"):
        monkeypatch.setitem(sys.modules, library, None)
    model = DualCode(Ending(), policies=[f"refuse:file={path},threshold=0.2"])
    assert model.policies[0].threshold == 0.2  # type: ignore[attr-defined]
    assert model.complete("return ").text == ")\n"


# ---------------------------------------------------------------------------------------------------------- drift


def test_drift_is_found_and_goes_away() -> None:
    draw = random.Random(0)
    drift = Drift({"size": Distribution.of([draw.random() for _ in range(1000)]), "other": Distribution.of([1.0, 2.0] * 50)})

    def add(low: float, times: int) -> set[str]:
        return {drift.add([low + draw.random(), float(draw.randrange(1, 3))]) for _ in range(times)} - {""}

    assert add(0.0, 3000) == set() and not drift.changed
    assert add(0.5, 3000) == {"size"} and set(drift.changed) == {"size"}
    assert next(iter(drift.indexes())) == "size" and drift.indexes()["other"] < CHANGED
    add(0.0, 12_000)
    assert not drift.changed


def test_drift_is_logged_once_and_stands_in_reasons(caplog: pytest.LogCaptureFixture) -> None:
    draw = random.Random(0)
    prompts = ["a = 1\n" * draw.randrange(20) + "return " for _ in range(500)]
    lengths = [features(Question("complete", prompt))[LENGTH] for prompt in prompts]
    known = {SCORE: Distribution.of([STUMPS.estimate(features(Question("complete", prompt))) for prompt in prompts])}
    estimator = Estimator(STUMPS.trees, STUMPS.base, 0.5, known | {"length": Distribution.of(lengths)}, {})
    policy = Refuse(estimator)

    def reasons(prompts: list[str]) -> list[str]:
        return [decision.reason for prompt in prompts if (decision := policy.before(Question("complete", prompt))) is not None]

    with caplog.at_level(logging.WARNING):
        assert all("changed" not in reason for reason in reasons(prompts))
        assert not caplog.records
        assert any(reason.endswith("; requests have changed since training") for reason in reasons(["b = 2\n" * 90 + "return "] * 1500))
        assert len(caplog.records) == 1 and "length has a population stability index" in caplog.text


def test_drift_that_is_over_before_it_is_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Refuse(STUMPS)
    monkeypatch.setattr(policy.drift, "add", lambda values: "length")  # another thread has found meanwhile that nothing has changed
    assert not policy.drift.changed
    policy.before(Question("complete", "x = "))
    assert "length has a population stability index of 0.25" in caplog.text


def test_drift_of_a_ledger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    estimator = tmp_path / "refuse.json"
    ledger = ledger_of(tmp_path / "l.jsonl")
    train(samples(LedgerFile(ledger).records()), share=0.3).save(estimator)
    capsys.readouterr()
    assert main(["policy", "drift", str(estimator), str(ledger)]) == 0
    assert "400 requests: 0 of" in capsys.readouterr().out
    other = ledger_of(tmp_path / "other.jsonl", shift="import os\n" * 60)
    assert main(["policy", "drift", str(estimator), str(other)]) == 1
    assert "length" in capsys.readouterr().out
    few = ledger_of(tmp_path / "few.jsonl", requests=20)
    assert main(["policy", "drift", str(estimator), str(few)]) == 0
    assert "too few to tell" in capsys.readouterr().out
