"""The arms of the comparison of spellings: models of one shape, with and without learned tokens, each run noted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra train is not installed")
for _library in ("transformers", "accelerate", "peft", "torchao", "datasets"):
    pytest.importorskip(_library, reason="the extra train is not installed")

from benchmarks import learning  # noqa: E402  # after the libraries that may be missing
from recipes.programs import Source, functions  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
IDS = 500


@pytest.fixture(scope="module")
def sources() -> tuple[list[Source], list[Source], list[Source]]:
    """Functions of this project; each file counts as a package."""
    found = {
        program: path.name
        for folder in ("transpiler", "simpy_grammar")
        for path in sorted((ROOT / folder).glob("*.py"))
        for program in functions(path.read_bytes())
    }
    programs = [Source(program, group, program) for program, group in found.items()]
    return programs[:120], programs[120:124], programs[124:130]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models and tokenizers that are made in seconds."""
    monkeypatch.setattr(learning, "IDS", IDS)
    monkeypatch.setattr(learning, "LENGTH", 64)
    monkeypatch.setattr(learning, "SHAPE", {"hidden": 16, "layers": 1, "heads": 2, "context": 64})
    monkeypatch.setattr(learning, "RATES", (0.004, 0.01))


@pytest.mark.usefixtures("small")
def test_learned_tokens_take_the_places_of_merges(sources: tuple[list[Source], ...]) -> None:
    plain, learned = (learning.Arm(name, sources, 80) for name in ("dense", "dense+12"))
    assert (plain.learned, learned.learned) == (0, 12)
    assert len(plain.tokenizer) == len(learned.tokenizer) == IDS
    codec = Codec(learned.tokenizer, dialect="dense")
    own = list(codec.own.items())[-12:]
    assert any("self." in token for token, _ in own) and {number for _, number in own} == {*range(IDS - 12, IDS)}
    assert any(number >= IDS - 12 for program in learned.train for number in program)
    texts = [codec.decode(program[:-1]) for program in learned.measured]
    assert texts == [Codec(plain.tokenizer, dialect="dense").decode(program[:-1]) for program in plain.measured]


@pytest.mark.usefixtures("small")
def test_where_fewer_tokens_are_worth_learning_there_are_more_merges(sources: tuple[list[Source], ...]) -> None:
    arm = learning.Arm("classic-spaced+150", (sources[0][:20], sources[1], sources[2]), 20)
    assert 0 < arm.learned < 150 and len(arm.tokenizer) == IDS


@pytest.mark.usefixtures("small")
def test_arms_are_compared_and_go_on(
    sources: tuple[list[Source], list[Source], list[Source]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "collect_sources", lambda wanted, held: sources)
    path = tmp_path / "learning.json"
    learning.measure(path, 20, 6, 1, ["dense", "dense+256"])
    results = json.loads(path.read_text())
    runs = results["scratch"]["runs"]
    assert len(runs) == 3 * 2 + 1 + 2 * 2  # rates, the control, the others with both budgets
    assert runs["dense+256, equal compute, seed 0"]["nats"] != runs["dense, equal compute, seed 0"]["nats"]
    page = learning.scratch_table(results)
    learned = results["scratch"]["arms"]["dense+256"]["learned"]
    assert f"| `dense+256`, {learned} learned |" in page and "| `dense+256` less `dense` |" in page and "`classic`" not in page
    del runs["dense, equal programs, seed 0"]
    path.write_text(json.dumps(results))
    learning.measure(path, 20, 6, 1, ["dense", "dense+256"])
    assert learning.scratch_table(json.loads(path.read_text())).splitlines()[1:] == page.splitlines()[1:]  # all but its minutes
    with pytest.raises(SystemExit, match="holds runs with other settings"):
        learning.measure(path, 19, 6, 1, ["dense"])


def test_programs_are_of_packages_that_do_not_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "packages", lambda: {path.name: [path] for path in sorted((ROOT / "transpiler").glob("*.py"))})
    groups = [{one.group for one in part} for part in learning.collect_sources(40, 12)]
    assert all(groups) and not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert [[one.python for one in part] for part in learning.collect_sources(40, 12)] == [*map(list, learning.collect(40, 12))]
