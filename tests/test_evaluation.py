"""Evaluation: nats by brute force, functions by tree, pass@k, reports that are the same each time, errors before a model is loaded."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Generator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.evaluated_models import CONTEXT, PROGRAMS, model, save_model, write_inputs

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")

from dualcode import DualCode  # noqa: E402  # after the library that may be missing
from dualcode.backends.protocol import COMPLETE, Request  # noqa: E402  # as above
from simpy_cli.commands import eval as command  # noqa: E402  # as above
from simpy_cli.main import main  # noqa: E402  # as above
from simpy_corpus.inputs.finding import find_inputs  # noqa: E402  # as above
from simpy_eval.answers import Sampling, ask  # noqa: E402  # as above
from simpy_eval.comparing import compare  # noqa: E402  # as above
from simpy_eval.evaluating import Plan, complete_functions, count_nats, evaluate, sample_functions, solve_problems  # noqa: E402  # as above
from simpy_eval.functions import functions_of  # noqa: E402  # as above
from simpy_eval.models import MASKS, EvaluatedModel  # noqa: E402  # as above
from simpy_eval.nats import nats_of  # noqa: E402  # as above
from simpy_eval.problems import read_problems  # noqa: E402  # as above
from simpy_eval.programs import convert_programs, read_programs  # noqa: E402  # as above
from simpy_eval.reports import parts, read_report, to_json  # noqa: E402  # as above
from simpy_eval.sandbox import RunLimits  # noqa: E402  # as above
from simpy_eval.statistics import difference_interval, mean_interval, pass_at_k  # noqa: E402  # as above
from simpy_grammar.dialect import Dialect  # noqa: E402  # as above
from simpy_grammar.errors import BackendError, SimPyError  # noqa: E402  # as above
from tokenizer_ext import Codec  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above

SOURCES = list(PROGRAMS.items())
PLAN = Plan(sampling=Sampling(max_tokens=12), limits=RunLimits(seconds=60))


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_inputs()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return save_model(str(tmp_path_factory.mktemp("model")))


def evaluated(dialect: str = "classic") -> EvaluatedModel:
    return EvaluatedModel(*model(dialect), dialect=Dialect.load(dialect), name=dialect)


class Written:
    """A backend that writes an answer for each end of a prompt, and remembers what it was asked."""

    tasks = frozenset((COMPLETE,))

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.seeds: list[Any] = []

    def run(self, request: Request) -> Generator[str, None, None]:
        self.seeds.append(request.options.get("seed"))
        found = next((answer for end, answer in self.answers.items() if request.prompt.endswith(end)), None)
        if found is None:
            raise BackendError("no answer")
        yield from found

    def count(self, text: str) -> int:
        return len(text)


def writes(monkeypatch: pytest.MonkeyPatch, dialect: str, answers: dict[str, str]) -> Written:
    backend: Any = Written(answers)
    monkeypatch.setattr(EvaluatedModel, "code", lambda self, mask: DualCode(backend, dialect=dialect))
    written: Written = backend
    return written


# --------------------------------------------------------------------------------------------- nats


@pytest.mark.parametrize(("context", "stride"), [(CONTEXT, 64), (16, 8), (16, 1), (7, 3)])
def test_nats_are_those_of_one_id_after_the_other(context: int, stride: int) -> None:
    llama = model()[0]
    draw = random.Random(0)
    programs = [[draw.randrange(900) for _ in range(length)] for length in (3, 16, 17, 0, 24, 1)]

    def slowly(ids: list[int]) -> float:
        read, total, window_end = [0, *ids], 0.0, 0
        for at in range(1, len(read)):
            if at > window_end:
                window_end = min(context if window_end == 0 else window_end + stride, len(ids))
            begin = max(0, window_end - context)
            with torch.no_grad():
                logits = llama(torch.tensor([read[begin:at]])).logits[0, -1].double()
            total -= float(logits.log_softmax(-1)[read[at]])
        return total

    found = nats_of(llama, programs, start=0, context=context, stride=stride, batch_ids=64)
    assert found == pytest.approx([slowly(ids) for ids in programs], abs=1e-3)
    assert nats_of(llama, programs[::-1], start=0, context=context, stride=stride) == pytest.approx(found[::-1], abs=1e-3)


def test_a_model_in_training_stays_so_and_a_stride_is_checked() -> None:
    llama = model()[0].train()
    first = nats_of(llama, [[1, 2, 3]], start=0)
    assert llama.training and nats_of(llama.eval(), [[1, 2, 3]], start=0) == first and not llama.training
    for stride in (0, CONTEXT + 1):
        with pytest.raises(ValueError, match="the stride is"):
            nats_of(llama, [[1]], start=0, stride=stride)


@pytest.mark.parametrize("dialect", ["classic", "compact", "python"])
def test_programs_are_counted_in_each_dialect(dialect: str) -> None:
    one = evaluated(dialect)
    found = count_nats(one, PLAN, *convert_programs(SOURCES, one.dialect))
    assert [item["name"] for item in found["items"]] == ["a.py", "b.py"]
    assert found["refused"] == [{"name": "wrong.py", "reason": "syntax", "message": "invalid syntax"}]
    python, _ = convert_programs(SOURCES, Dialect.load("python"))
    assert [item["bytes"] for item in found["items"]] == [len(program.python) for program in python]
    if dialect == "classic":
        ids = [Codec(one.tokenizer).encode(encode(program.python)) for program in python]
    else:
        texts = [program.python if dialect == "python" else encode(program.python, dialect=dialect) for program in python]
        ids = [one.tokenizer(text)["input_ids"] for text in texts]
    assert [item["tokens"] for item in found["items"]] == list(map(len, ids))
    nats = nats_of(one.model, ids, start=0)
    assert [item["nats"] for item in found["items"]] == pytest.approx(nats, rel=1e-6)
    bits = sum(nats) / math.log(2) / sum(item["bytes"] for item in found["items"])
    assert found["summary"]["bits_per_byte"]["value"] == pytest.approx(bits, rel=1e-6)
    assert found["cost"] == {"tokens": sum(map(len, ids)), "operations": 2 * one.parameters * sum(map(len, ids))}


def test_programs_of_a_data_set_are_sampled_by_the_seed() -> None:
    rows = [{"path": f"{i % 7}.py", "content": f"x = {i}\n"} for i in range(9)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    inputs = find_inputs(["p.jsonl"], files=lambda path: [])
    names = [program.name for program in read_programs(inputs, Dialect.load("dense"))[0]]
    assert names == [*(f"{i}.py" for i in range(7)), "0.py (2)", "1.py (2)"]
    first, again, other = (read_programs(inputs, Dialect.load("dense"), most=4, seed=seed)[0] for seed in (0, 0, 1))
    assert first == again != other and len(other) == 4
    assert [int(program.text.rpartition("=")[2]) for program in first] == sorted(int(program.text.rpartition("=")[2]) for program in first)


def test_the_end_of_a_program_is_counted_where_it_is_asked_for() -> None:
    one = evaluated()
    programs = convert_programs(SOURCES, one.dialect)
    without, whole = (count_nats(one, Plan(scores_end=end), *programs)["items"] for end in (False, True))
    for less, more in zip(without, whole, strict=True):
        assert more["tokens"] == less["tokens"] + 1 and more["nats"] > less["nats"]


# --------------------------------------------------------------------------------------------- functions


SPELLED = {
    "classic": {'"""Add."""': "<return>(a+b)<block_end>x=1", "# one\n": "<return>[1 3]<block_end>"},
    "compact": {'"""Add."""\n': "    return(a+b)\nx=1", "# one\n": "    return [1,3]\n\nx"},
    "python": {'"""Add."""\n': "    return (\n        a + b\n    )\n\n\nx = 1", "# one\n": "    return [1, 3]\n\n\nx"},
}


@pytest.mark.parametrize("dialect", SPELLED)
def test_functions_match_by_tree(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, _ = convert_programs(SOURCES, Dialect.load(dialect))
    functions = sample_functions(programs, PLAN)
    assert [one.name for one in functions] == ["a.py: add", "a.py: C.f"]
    assert functions[1].prompt + functions[1].body == "@property\ndef f(self):\n    # one\n    return [1, 2]\n"
    writes(monkeypatch, dialect, SPELLED[dialect])
    found = complete_functions(evaluated(dialect), PLAN, functions, "free")
    assert [item["exact"] for item in found["items"]] == [True, False]
    assert all(item[check] for item in found["items"] for check in ("ended", "decoded", "parsed", "compiled"))
    assert found["summary"]["exact"]["value"] == 0.5


def test_functions_that_cannot_be_asked_for_are_left_out() -> None:
    nested = "def g():\n    def h(): pass\n    return h\n"
    indented = 'class A:\n    def i(self):\n        return """\n  x"""\n'
    sources = [("a.py", f'def f():\n    "Doc."\n\n\n{nested}\n\n{indented}')]
    programs, _ = convert_programs(sources, Dialect.load("python"))
    assert [one.name for one in functions_of(programs[0])] == ["a.py: g"]


def test_a_model_that_fails_has_answered_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    writes(monkeypatch, "classic", {})
    answer = ask(evaluated().code("free"), "def f():\n", {"max_tokens": 3})
    assert (answer.text, answer.ended, answer.compiled, answer.note) == ("", False, False, "no answer")


@pytest.mark.parametrize("mask", MASKS)
def test_a_random_model_under_each_mask(mask: str) -> None:
    one = evaluated()
    found = solve_problems(one, PLAN, read_problems(["human-eval.jsonl"])[:1], mask)
    (answer,) = found["items"][0]["answers"]
    assert 0 < answer["written"] <= 12 and answer["read"] > 0
    assert (answer["decoded"] and answer["ended"]) or mask == "free"
    assert found["cost"]["operations"] == 2 * one.parameters * (answer["read"] + answer["written"])


# --------------------------------------------------------------------------------------------- problems


def test_answers_are_run_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {'Twice x."""': "<return>x<times>2<block_end>", "<arrow>int<block_start>": "<return>0<block_end>"}
    backend = writes(monkeypatch, "classic", answers)
    plan = Plan(Sampling(max_tokens=9, temperature=0.5), samples=3, ks=(1, 2), limits=PLAN.limits, jobs=2)
    found = solve_problems(evaluated(), plan, read_problems(["human-eval.jsonl"]), "free")
    assert [(item["passed"], item["samples"]) for item in found["items"]] == [(3, 3), (0, 3)]
    assert {one["outcome"]["reason"] for one in found["items"][1]["answers"]} == {"failed"}
    assert found["summary"]["pass@1"]["value"] == found["summary"]["pass@2"]["value"] == 0.5
    first = list(backend.seeds)
    assert len(set(first)) == 6
    solve_problems(evaluated(), plan, read_problems(["human-eval.jsonl"])[1:], "free")
    assert backend.seeds[6:] == first[3:], "a seed depends on its problem and sample alone"


def test_the_estimator_is_the_mean_over_all_choices() -> None:
    for samples in range(1, 7):
        for passed in range(samples + 1):
            for k in range(1, samples + 1):
                drawn = list(combinations([True] * passed + [False] * (samples - passed), k))
                assert pass_at_k(samples, passed, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))
    with pytest.raises(ValueError, match="at k = 3"):
        pass_at_k(2, 1, 3)


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    draw = random.Random(1)
    held = 0
    for trial in range(60):
        interval = mean_interval([draw.gauss(3, 1) for _ in range(40)], seed=trial)
        held += interval.low <= 3 <= interval.high
    assert 0.85 <= held / 60 <= 1


def test_pairing_narrows_the_interval_of_a_difference() -> None:
    draw = random.Random(2)
    first = [draw.gauss(100, 30) for _ in range(50)]
    second = [value + draw.gauss(1, 0.5) for value in first]
    paired = difference_interval(first, second, seed=0)
    assert 0 < paired.low < 1 < paired.high < 2
    alone = mean_interval(second, seed=0)
    assert alone.high - alone.low > 5 * (paired.high - paired.low)


# --------------------------------------------------------------------------------------------- reports


def whole_report(dialect: str = "classic", plan: Plan = PLAN) -> dict[str, Any]:
    one = evaluated(dialect)
    programs = convert_programs(SOURCES, one.dialect)
    return evaluate(one, plan, programs=programs, functions=programs[0], problems=read_problems(["human-eval.jsonl"]))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path_factory.mktemp("report"))
        write_inputs()
        return whole_report()


def test_a_report_is_the_same_each_time_but_for_what_was_measured() -> None:
    plan = Plan(Sampling(max_tokens=8, temperature=0.9, seed=3), samples=2, ks=(1, 2), limits=PLAN.limits)
    first, second = whole_report(plan=plan), whole_report(plan=plan)
    measured = first.pop("measured"), second.pop("measured")
    assert to_json(first) == to_json(second)
    assert set(measured[0]) == {part.title for part in parts(first)} == {"programs", "functions, free", "problems, free"}
    other = whole_report(plan=Plan(Sampling(max_tokens=8, temperature=0.9, seed=4), samples=2, ks=(1, 2), limits=PLAN.limits))
    assert other["problems"] != first["problems"]


def test_every_field_of_a_report_is_documented(report: dict[str, Any]) -> None:
    page = (Path(command.__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")

    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {name for one in value.values() for name in names(one)}
        return {name for one in value for name in names(one)} if isinstance(value, list) else set()

    found = names(report) - {"programs, free", "functions, free", "problems, free"}
    assert not [name for name in found if f"`{name}`" not in page]


def test_comparing_is_paired_and_refuses_other_items(report: dict[str, Any]) -> None:
    first, second = whole_report("python"), json.loads(to_json(report))
    found = {(one.part, one.name): one for one in compare(first, second)}
    nats = found["programs", "nats_per_program"]
    means = [sum(item["nats"] for item in report["programs"]["items"]) / 2 for report in (first, second)]
    assert (nats.first, nats.second) == pytest.approx(means)
    assert nats.difference.value == pytest.approx(means[1] - means[0]) and nats.relative is not None
    assert nats.relative.value == pytest.approx(means[1] / means[0] - 1)
    assert nats.better in ("first", "second", "undecided")
    assert {one.name for one in found.values()} >= {"exact", "pass@1", "compiled"}
    same = compare(first, first)
    assert all(one.difference.value == 0 and one.better in ("", "undecided") for one in same)
    del second["programs"]["items"][0]
    with pytest.raises(SimPyError, match=r"programs: 'a.py' stands in one of them only"):
        compare(first, second)
    changed = json.loads(to_json(first))
    changed["problems"]["free"]["items"][1]["digest"] = "0" * 16
    with pytest.raises(SimPyError, match=r"problems, free: 'own/1' is not the same in both"):
        compare(first, changed)


def test_each_k_that_is_asked_for_is_compared(report: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    first, second = json.loads(to_json(report)), json.loads(to_json(report))
    items = [one["problems"]["free"]["items"] for one in (first, second)]
    for one, other in zip(*items, strict=True):
        one |= {"samples": 4, "passed": 1, "answers": one["answers"] * 4}
        other |= {"samples": 3, "passed": 2, "answers": other["answers"] * 3}

    def shares(ks: list[int]) -> dict[str, tuple[float, float]]:
        return {one.name: (one.first, one.second) for one in compare(first, second, ks=ks) if one.name.startswith("pass@")}

    assert shares([]) == {"pass@1": pytest.approx((0.25, 2 / 3))}
    assert shares([2, 3]) == {"pass@2": pytest.approx((0.5, 1.0)), "pass@3": pytest.approx((0.75, 1.0))}
    with pytest.raises(SimPyError, match="pass@4 needs 4 answers to each problem, and a report has 3"):
        compare(first, second, ks=[4])
    for path, one in (("a.json", first), ("b.json", second)):
        Path(path).write_text(to_json(one))
    assert main(["eval", "compare", "a.json", "b.json", "--k", "2"]) == 0
    assert "| problems, free | pass@2 | " in capsys.readouterr().out
    del first["problems"]
    Path("a.json").write_text(to_json(first))
    assert main(["eval", "compare", "a.json", "b.json", "--k", "2"]) == 2
    assert "no problems in common" in capsys.readouterr().err
    assert main(["eval", "check", "human-eval.jsonl", "--k", "2"]) == 2
    assert "check takes no --k" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- the command


def test_the_command_evaluates_and_compares(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["eval", "run", folder, "--dialect", "classic", "--programs", "src", "--functions", "src", "--problems", "human-eval.jsonl"]
    words += ["mbpp.jsonl", "--max-tokens", "8", "--seconds", "60", "--watts", "5"]
    assert main([*words, "-o", "a.json"]) == 0
    out = capsys.readouterr().out
    for line in ("## Programs", "## Functions, free", "## Problems, free", "| pass@1 | 0.0 % |", "- wrong.py: syntax: invalid syntax"):
        assert line in out
    report = read_report("a.json")
    assert [part.title for part in parts(report)] == ["programs", "functions, free", "problems, free"]
    assert main([*words, "-q", "-o", "b.json"]) == 0
    again = read_report("b.json")
    assert {**again, "measured": 0} == {**report, "measured": 0}
    capsys.readouterr()
    assert main(["eval", "compare", "a.json", "b.json", "-o", "c.json"]) == 0
    out = capsys.readouterr().out
    assert "| programs | nats per program | 2 |" in out and "undecided" in out
    assert len(json.loads(Path("c.json").read_text())["differences"]) == 2 + 5 + 5


def test_charts_are_drawn_and_the_same_each_time(report: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib", reason="the extra charts is not installed")
    Path("a.json").write_text(to_json(report))
    for name in ("one.svg", "two.svg", "one.png"):
        assert main(["eval", "compare", "a.json", "a.json", "-q", "--chart", name]) == 0
    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes() and Path("one.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "gone", "--programs", "src"], "gone: error: no such folder"),
        (["run", "src", "--programs", "src"], "src: error: holds no config.json, so it is not a model"),
        (["run", "m"], "simpy eval: error: nothing says what to evaluate on"),
        (["run", "m", "n", "--programs", "src"], "simpy eval: error: run takes the folder of one model, not 2 paths"),
        (["run", "m", "--programs", "gone"], "gone: error: no such file or folder"),
        (["run", "m", "--programs", "src/wrong.py"], "src/wrong.py: error: holds no program that can be converted (1 refused, the"),
        (["run", "m", "--problems", "src/a.py"], "src/a.py:1:1: error: not JSON"),
        (["run", "m", "--problems", "human-eval.jsonl", "--k", "2"], "simpy eval: error: pass@2 needs --samples 2 or more"),
        (["run", "m", "--problems", "human-eval.jsonl", "--samples", "2"], "several answers to a problem need a --temperature"),
        (["run", "m", "--programs", "src", "--dialect", "clasic"], "error: no dialect 'clasic'"),
        (["run", "m", "--programs", "src", "-o", "no/r.json"], "no: error: no such folder"),
        (["run", "m", "--programs", "src", "--chart", "c.pdf"], "c.pdf: error: a chart is a .png or an .svg file"),
        (["run", "m", "--mask", "gramar"], "hint: did you mean grammar?"),
        (["compare", "a.json"], "simpy eval: error: compare takes two reports, not 1"),
        (["compare", "a.json", "a.json"], "a.json: error: no such file or directory"),
        (["compare", "human-eval.jsonl", "a.json"], "human-eval.jsonl:2:1: error: not JSON: Extra data"),
        (["compare", "empty.json", "a.json"], "empty.json: error: not a report of an evaluation"),
        (["compare", "a.json", "b.json", "--mask", "free"], "simpy eval: error: compare takes no --mask"),
        (["compare", "a.json", "b.json", "--top-p", "0.5"], "simpy eval: error: compare takes no --top-p"),
        (["check", "human-eval.jsonl", "-o", "a.json"], "simpy eval: error: check takes no --output"),
        (["check", "human-eval.jsonl", "--seconds", "0"], "argument --seconds: '0' is not a number of seconds above 0"),
        (["chek", "human-eval.jsonl"], "hint: did you mean check?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_before_a_model_is_loaded(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*arguments: object, **options: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(EvaluatedModel, "open", opened)
    Path("m").mkdir()
    Path("m/config.json").write_text("{}")
    Path("empty.json").write_text("{}")
    assert main(["eval", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_report_of_another_version_or_form_is_refused(report: dict[str, Any]) -> None:
    item = report["problems"]["free"]["items"][0]
    for change, message in (
        ({"version": 2}, "a report of version 2; this release reads 1"),
        ({"model": None}, "a damaged report: it has no model"),
        ({"model": {"name": "m"}}, "a damaged report: its model has no dialect"),
        ({"problems": {"free": {"items": [{**item, "answers": []}], "summary": {}}}}, "item 0 of problems, free has no samples"),
        ({"problems": {"free": {"items": [{**item, "passed": 2}], "summary": {}}}}, "item 0 of problems, free has no passed"),
        ({"problems": {"free": {"items": [{**item, "answers": [{}]}], "summary": {}}}}, "free has no answers with ended"),
        ({"programs": {"items": [{}], "summary": {}}}, "a damaged report: item 0 of programs has no name"),
        ({"functions": {"free": 3}}, "a damaged report: functions, free have no items or no summary"),
    ):
        Path("a.json").write_text(to_json({**report, **change}))
        with pytest.raises(SimPyError, match=message):
            read_report("a.json")


def test_a_tokenizer_of_another_dialect_is_refused(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "run", folder, "--dialect", "dense", "--programs", "src"]) == 2
    assert f"{folder}: error: the tokenizer has been extended for another dialect than dense" in capsys.readouterr().err


def test_the_command_names_the_masks_that_there_are() -> None:
    assert tuple(MASKS) == command._MASKS
