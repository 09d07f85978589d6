"""The ids of a program in Python and in SimPy that belong together, and rows that learn from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")
for _library in ("transformers", "accelerate", "peft", "torchao", "datasets"):
    pytest.importorskip(_library, reason="the extra train is not installed")

from benchmarks import distilling, learning  # noqa: E402  # after the libraries that may be missing
from benchmarks.aligned_ids import Pair, align  # noqa: E402  # as above
from recipes.bases import small_llama  # noqa: E402  # as above
from recipes.programs import functions  # noqa: E402  # as above
from recipes.tokenizers import train_tokenizer  # noqa: E402  # as above
from simpy_grammar.dialect import PYTHON  # noqa: E402  # as above
from simpy_grammar.lexeme import Lexeme  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.plain_codec import PlainCodec  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above
from transpiler.conversion import lexemes  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
FILES = ("break_queue", "source_maps", "blank_lines")
WRITTEN = [
    """\
def f(a, *b, c=None) -> int:
    for i, j in enumerate(a):
        if i not in b and j is not c:
            return [i, -j]
    else:
        pass
""",
    """\
x = 'é\\n<def_stmt>' "two"  # says <return>
y = f'{x!r:>{4}} {x}' + '''a
  b'''


class A(B, metaclass=C):
    z: int = 3
""",
    """\
async def g():
    async with a as b, c:
        await b
    try:
        yield
    except (A, B) as e:
        raise C from e
""",
]
PROGRAMS = [text for name in FILES for text in functions((ROOT / "transpiler" / f"{name}.py").read_bytes())] + WRITTEN


def number_read(found: list[Lexeme], text: str, at: int) -> int:
    """How many lexemes stand before a place, which must not lie inside one."""
    whole = [one for one in found if one.text.strip()]
    across = [one for one in whole if one.start + len(one.text) - len(one.text.lstrip()) < at < one.start + len(one.text.rstrip())]
    assert not across, (text[:at], across)
    return sum(one.start + len(one.text.rstrip()) <= at for one in whole)


@pytest.mark.parametrize("dialect", ["classic", "classic-spaced", "dense", "dense-spaced", "dense-open"])
def test_aligned_ids_end_the_same_lexeme(dialect: str) -> None:
    tokenizer = train_tokenizer(PROGRAMS, dialect, 500)
    codec, python_codec = Codec(tokenizer, dialect=dialect), PlainCodec(tokenizer)
    for program in PROGRAMS:
        simpy = encode(program, dialect=dialect)
        found = align(program, simpy, python_codec, codec)
        assert (python_codec.decode(found.python), codec.decode(found.simpy)) == (program, simpy)
        ours, theirs = list(lexemes(program, dialect=PYTHON, implied=True)), list(lexemes(simpy, dialect=dialect, implied=True))
        spelled = [(one.text.strip() != "", other.text.strip() != "") for one, other in zip(ours, theirs, strict=True)]
        # How many lexemes are spelled by both once so many of one text have been read.
        both = [[0], [0]]
        for pair in spelled:
            for side in (0, 1):
                if pair[side]:
                    both[side].append(both[side][-1] + all(pair))
        for pair_of_ids in [*found.ends, *found.alike]:
            before, after = (
                python_codec.decode(found.python[: pair_of_ids.python + 1]),
                codec.decode(found.simpy[: pair_of_ids.simpy + 1]),
            )
            one, other = number_read(ours, program, len(before)), number_read(theirs, simpy, len(after))
            assert both[0][one] == both[1][other], (before, after)
            if pair_of_ids in found.ends:  # and the last one is spelled by both
                assert both[0][one] > both[0][one - 1] and both[1][other] > both[1][other - 1], (before, after)
        assert all(found.python[one + 1] == found.simpy[other + 1] for one, other in found.alike)
        assert all(b.python > a.python and b.simpy > a.simpy for pairs in found[2:] for a, b in zip(pairs, pairs[1:], strict=False))
        assert len(found.ends) > 9 and found.alike


def test_a_state_that_knows_more_is_not_a_teacher() -> None:
    tokenizer = train_tokenizer(["f(x,y)"], "classic-spaced", 257)  # a letter is an id
    found = align("f(x, y)\n", "f(x y)", PlainCodec(tokenizer), Codec(tokenizer, dialect="classic-spaced"))
    assert [found.python[one] for one, _ in found.ends] == [found.simpy[other] for _, other in found.ends]
    assert Pair(3, 2) not in found.alike and Pair(4, 3) not in found.alike  # ` y` comes next in both, but only Python has the comma
    with pytest.raises(ValueError, match="different programs"):
        align("f(x)\n", "f[x]", PlainCodec(tokenizer), Codec(tokenizer, dialect="classic-spaced"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Python that knows nothing."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = train_tokenizer(PROGRAMS, "python", 400)
    small_llama(tokenizer, hidden=16, layers=2, heads=2, context=512, seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def small(base: Path) -> tuple[distilling.Plan, learning.Programs]:
    """A comparison of a few steps."""
    plan = distilling.Plan(base=str(base), dialect="classic", steps=3, batch=2, rates=(0.01, 0.1), weights=(1.0, 9.0))
    return plan, learning.Programs(PROGRAMS[:8], PROGRAMS[8:10], PROGRAMS[-3:])


def test_the_states_of_the_rows_come_closer_to_those_of_the_teacher(base: Path) -> None:
    school = distilling.School(*small(base))
    batches = school.lessons(0, 4) * 8
    first = school.looked_at(batches[:4])
    for place in distilling.PLACES:
        school.train(distilling.Way(0.05, place, 1000.0), batches)
        assert school.looked_at(batches[:4])[place] < 0.95 * first[place], place
    school.train(distilling.Way(0.05), batches)
    assert school.looked_at(batches[:4])["next token"] < first["next token"]
    school.forget()
    assert school.looked_at(batches[:4]) == first


def test_the_rows_alone_are_trained(base: Path) -> None:
    school = distilling.School(*small(base))
    frozen = {name: value.detach().clone() for name, value in school.model.named_parameters() if not value.requires_grad}
    before = [value.detach().clone() for value in school.rows]
    school.train(distilling.Way(0.05, distilling.ENDS, 1.0), school.lessons(0, 2))
    assert all(torch.equal(value, frozen[name]) for name, value in school.model.named_parameters() if name in frozen)
    assert not any(torch.equal(one, two) for one, two in zip(before, school.rows, strict=True))


def test_arms_are_compared_and_go_on(base: Path, tmp_path: Path) -> None:
    plan, programs = small(base)
    path = tmp_path / "distilling.json"
    distilling.measure(path, plan, programs, 2, [2])
    results = json.loads(path.read_text())
    runs: dict[str, Any] = results["runs"]
    assert sum(name.startswith("tried: ") for name in runs) == 2 + 4 + 1  # rates, places with weights, the other rate
    assert runs["alone, 2 steps, seed 0"]["result"]["nats"] != runs["taught, 2 steps, seed 0"]["result"]["nats"]
    assert len(runs["untrained"]["result"]["nats"]) == 3
    page = distilling.table(results)
    assert "| 2 | 2 |" in page and "after 2 steps" in page and page.count("| none |") == 2
    kept = {name: run for name, run in runs.items() if name != "taught, 2 steps, seed 1"}
    path.write_text(json.dumps({**results, "runs": kept}))
    distilling.measure(path, plan, programs, 2, [2])
    assert json.loads(path.read_text())["runs"]["taught, 2 steps, seed 1"]["result"] == runs["taught, 2 steps, seed 1"]["result"]
    with pytest.raises(SystemExit, match="holds runs with other settings"):
        distilling.measure(path, replace(plan, batch=1), programs, 2, [2])
