"""The generator of random edits: its trees are those of the naive replacement, its quotes say what the piece says."""

from __future__ import annotations

import ast
import random
import tokenize
from pathlib import Path

import pytest

from benchmarks import random_edits as benchmark
from tests.quoting import LAYOUTS, quoted
from tests.random_edits import KINDS, RandomEdit, random_edits
from tests.source_spans import SourceSpans, program_tokens, tokens_of
from transpiler import replace
from transpiler.proof import same_tree

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    *sorted((ROOT / "examples").glob("*.py")),
    *(ROOT / name for name in ("transpiler/pep8.py", "tests/random_edits.py", "simpy_cli/files.py")),
    *(Path(module.__file__) for module in (random, tokenize) if module.__file__),
]
ODD = """\
@dec(1, 2)  # of f
@other
def f(a, b=1, *, c: "x" = None):
    \"\"\"Doc
  string.\"\"\"
    if(a):  # why
        return g(a,
                 b,  # last
                 *a, k=f"{a!r:>{b}} {'x'}")
    elif b: x = [1, 2,
        3]; y = 2
    else:
        x = {'a': 1, **b,
             }
        t = '''one
   two'''
    try:
        pass
    except (A, B) as e:
        raise
    else:
        q()
    finally:
        del x
    ü = h(i for i in [ü, "é"]) if not a else \\
        b

\twhile a: pass
class C(D):
\tx = 1
\tdef m(self):
\t\treturn x[1:2]
""".replace("\n\twhile a: pass", "")


@pytest.fixture(scope="module")
def all_edits() -> list[tuple[SourceSpans, RandomEdit]]:
    found = []
    for text, count in [(ODD, 600), *((path.read_text(encoding="utf-8"), 60) for path in FILES)]:
        spans = SourceSpans(text)
        found += [(spans, edit) for edit in random_edits(text, random.Random(len(text)), count)]
    return found


def test_the_tree_is_that_of_the_naive_replacement(all_edits: list[tuple[SourceSpans, RandomEdit]]) -> None:
    for spans, edit in all_edits:
        naive = spans.text[: edit.start] + edit.replacement + spans.text[edit.end :]
        assert same_tree(ast.parse(naive), edit.tree), (edit.change, edit.old, edit.new)


def test_a_quote_has_the_tokens_of_its_piece(all_edits: list[tuple[SourceSpans, RandomEdit]]) -> None:
    for spans, edit in all_edits:
        piece = program_tokens(spans.between(edit.start, edit.end))
        assert _said(edit.old) == _joined(piece), (edit.kind, edit.layout, edit.old)


def _said(text: str) -> str:
    """What a piece says, where it cannot be tokenized alone: without blanks, commas, parentheses and comments."""
    wrapped = "(" + text + "\n)"  # no indents and no line ends
    return _joined(
        [token.text for token in tokens_of(wrapped) if token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER)][1:-1]
    )


def _joined(tokens: list[str]) -> str:
    return "\0".join(token for token in tokens if token.strip() and token not in ("(", ")", ",", ";"))


def test_every_kind_layout_and_change_comes(all_edits: list[tuple[SourceSpans, RandomEdit]]) -> None:
    assert {edit.kind for _, edit in all_edits} == set(KINDS)
    assert {edit.layout for _, edit in all_edits} == set(LAYOUTS)
    changes = {edit.change for _, edit in all_edits}
    assert changes >= {"rename", "literal", "negate", "add before", "add after", "drop statement", "wrap in if", "wrap in try"}
    assert changes >= {f"{verb} {kind}" for verb in ("add", "drop") for kind in ("argument", "element", "item")}
    assert any(edit.unique for _, edit in all_edits)
    assert not all(edit.unique for _, edit in all_edits)


def test_unique_is_what_it_says() -> None:
    source = "a = f(x)\nb = f(x)\nc = f((x), y)\n"
    found = {(edit.start, edit.end): edit.unique for edit in random_edits(source, random.Random(1), 300)}
    assert found[0, 8]  # a = f(x)
    assert not found[4, 8]  # f(x), which stands there three times if commas and parentheses do not count
    assert found[source.index("y"), source.index("y") + 1]


def test_the_same_seed_gives_the_same_edits() -> None:
    first, again = ([edit._replace(tree=ast.Module([], [])) for edit in random_edits(ODD, random.Random(5), 40)] for _ in range(2))
    assert [edit[:5] for edit in first] == [edit[:5] for edit in again]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_quotes(layout: str) -> None:
    piece = "if a:  # why\n            b(1,\n              '''x\n   y''')"
    expected = {
        "as_it_stands": "        if a:  # why\n            b(1,\n              '''x\n   y''')",
        "dedented": "if a:  # why\n    b(1,\n      '''x\n   y''')",
        "indented_by_2": "if a:  # why\n  b(1,\n    '''x\n   y''')",
        "unparsed": None,
        "reflowed": "if a:  # why\n    b(\n        1,\n        '''x\n   y''',\n    )",
        "compact": "if a:# why\n b(1,'''x\n   y''')",
        "without_comments": "if a:\n    b(1,\n      '''x\n   y''')",
        "broken_elsewhere": None,
    }[layout]
    if layout == "broken_elsewhere":
        texts = {quoted(piece, "statement", layout, "        ", seed) for seed in range(20)}
        assert len(texts) > 5
        assert all("'''x\n   y'''" in (text or "") for text in texts)
    else:
        assert quoted(piece, "statement", layout, "        ", 1) == expected


def test_a_shard_of_the_benchmark_is_reproducible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "SHARD", 25)
    report = benchmark.run_shard(5)
    assert report.outcomes.total() == 25
    assert report.outcomes["right"] > 15
    assert report == benchmark.run_shard(5)
    assert report != benchmark.run_shard(6)


def test_the_benchmark_tells_outcomes_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "[a] = b\nc = f(1)\n"
    added = next(edit for edit in random_edits(source, random.Random(1), 500) if edit.change == "add element" and edit.start < 7)
    edit = next(edit for edit in random_edits(source, random.Random(1), 500) if edit.change == "literal")
    assert benchmark.outcome(source, added)[0] == "not Python"
    assert benchmark.outcome(source, edit) == ("right", "")
    assert benchmark.outcome("c = f(1)\nc = f(1)\n", edit._replace(old="1"))[0] == "candidates"
    assert benchmark.outcome(source, edit._replace(old="2 + 3")) == ("refused", "PlaceError: the piece does not stand in the file")
    proved = replace(source, "1", "2")
    monkeypatch.setattr(benchmark, "replace", lambda source, old, new: proved)
    assert benchmark.outcome(source, edit) == ("wrong", "another tree")
    monkeypatch.setattr(benchmark, "replace", lambda source, old, new: proved._replace(text=ast.unparse(edit.tree)))
    assert benchmark.outcome(source, edit) == ("wrong", "changed outside of the ranges")
    monkeypatch.setattr(benchmark, "replace", lambda source, old, new: [][0])
    assert benchmark.outcome(source, edit)[0] == "crash"
