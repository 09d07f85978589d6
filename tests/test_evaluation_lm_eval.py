"""The tasks for lm-eval, without the harness: the files name functions that there are, and these do what a harness calls them for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluated_models import HUMAN_EVAL, MBPP, PROGRAMS, write_inputs

yaml = pytest.importorskip("yaml", reason="the extra transformers is not installed")
pytest.importorskip("datasets", reason="the extra corpus is not installed")

from simpy_eval.lm_eval_tasks import utils  # noqa: E402  # after the libraries that may be missing
from transpiler import encode  # noqa: E402  # as above

FOLDER = Path(utils.__file__).parent


class Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
    """Reads ``!function module.name`` as the harness does."""


def function(loader: Any, node: Any) -> Any:
    module, _, name = node.value.partition(".")
    assert module == "utils"
    return getattr(utils, name)


Loader.add_constructor("!function", function)
TASKS = {path.stem: yaml.load(path.read_text(encoding="utf-8"), Loader) for path in FOLDER.glob("*.yaml")}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_inputs()


def test_tasks_are_named_after_their_files() -> None:
    assert {name: task["task"] for name, task in TASKS.items()} == {name: name for name in ("simpy_problems", "simpy_programs")}


@pytest.mark.parametrize("dialect", ["dense", "compact"])
def test_problems_are_asked_and_run(dialect: str) -> None:
    task = TASKS["simpy_problems"]
    rows = task["custom_dataset"](problems="human-eval.jsonl", dialect=dialect, pretrained="m")["test"]
    for row, problem in zip(rows, HUMAN_EVAL, strict=True):
        whole = encode(problem["prompt"] + problem["canonical_solution"], dialect=dialect)
        sent = row["sent"]
        right = whole[len(sent.rstrip("\n")) :] if dialect != "compact" else problem["canonical_solution"]
        assert task["process_results"](row, [right]) == {"pass@1": 1.0, "compiled": 1.0}
        assert task["process_results"](row, [")"]) == {"pass@1": 0.0, "compiled": 0.0}
    (row,) = task["custom_dataset"](problems="mbpp.jsonl", dialect=dialect)["test"]
    answer = encode(MBPP[0]["code"], dialect=dialect) + ("\nprint(last)" if dialect == "compact" else "")
    assert task["process_results"](row, [answer])["pass@1"] == 1.0
    assert {one["metric"] for one in task["metric_list"]} == {"pass@1", "compiled"}


def test_programs_are_spelled_in_the_dialect() -> None:
    Path("p.jsonl").write_text(json.dumps({"content": PROGRAMS["b.py"]}) + "\n")
    task = TASKS["simpy_programs"]
    (row,) = task["custom_dataset"](programs="p.jsonl", dialect="dense")["test"]
    assert row["text"] == encode(PROGRAMS["b.py"], dialect="dense")
    assert task["process_results"](row, [-3.0]) == {"nats_per_program": 3.0, "bits_per_byte": (-3.0, row["bytes"])}
    assert {one["metric"] for one in task["metric_list"]} == set(task["process_results"](row, [-3.0]))
