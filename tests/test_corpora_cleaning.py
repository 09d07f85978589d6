"""Which programs are the same, nearly the same, generated, data, or part of an evaluation."""

from __future__ import annotations

import ast
import json
import random
import warnings
from pathlib import Path

import pytest

import transpiler
from simpy_corpus import convert_batch, fingerprint
from simpy_corpus.canonical import canonical, functions
from simpy_corpus.cleaning import FILTERS
from simpy_corpus.evaluations import Evaluations
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tests.golden import cases
from transpiler.conversion import read_stream
from transpiler.views import view

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = [case.python for case in cases() if case.is_readable]


def dump(program: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.dump(ast.parse(program))


def with_comments(program: str, dice: random.Random) -> str:
    """A program with comments wherever a line ends outside of strings and brackets, as far as the tree stays."""
    lines = transpiler.decode(transpiler.encode(program, verify=False), width=None).splitlines()
    for i in reversed(range(len(lines))):
        indent = lines[i][: len(lines[i]) - len(lines[i].lstrip())]
        changed = [
            *lines[:i],
            *dice.choice([[f"{indent}# above", lines[i]], [f"{lines[i]}  # behind"], [lines[i], f"{indent}# below"]]),
            *lines[i + 1 :],
        ]
        try:
            if dump("\n".join(changed)) == dump("\n".join(lines)):
                lines = changed
        except SyntaxError:
            continue
    return "\n".join(lines)


@pytest.mark.parametrize("number", range(4))
def test_layout_and_comments_do_not_matter(number: int) -> None:
    dice = random.Random(number)
    for program in PROGRAMS[number::4]:
        found = fingerprint(program)
        bare = view(program, ["no-comments"]).program
        texts = [bare, transpiler.decode(transpiler.encode(bare, verify=False), width=20), with_comments(program, dice)]
        for text in texts:
            assert fingerprint(text) == found, text
        for dialect in ("classic", "dense", "dense-newline", "compact"):
            assert fingerprint(transpiler.encode(program, dialect=dialect, verify=False), dialect=dialect) == found


SAME = [
    ("x = 'a'", 'x = "a"'),
    ("x = '''a'''", 'x = """a"""'),
    ("x = (a + b)", "x = a + b"),
    ("x = (a  # one\n     + b)", "x = a + b"),
    ("x = 0XFF", "x = 0xff"),
    ("f(a, b,)", "f(a, b)"),
    ("a; b", "a\n# c\n\nb"),
    ("@a\n# c\n@b\ndef f(): pass", "@a\n@b\ndef f():\n    pass"),
    ("x = 1\n# c\n@a\ndef f(): pass", "x = 1\n@a\ndef f(): pass"),
    ("if a:  # c\n    b\n# c\nelse: d", "if a: b\nelse: d"),
]
DIFFERENT = [
    ("a\n(b)", "a(b)"),
    ("a\n[b]", "a[b]"),
    ("a\n-b", "a - b"),
    ("x = 'a' 'b'", "x = 'a'\n'b'"),
    ("x = 'a'", "x = b'a'"),
    ("x = '\\''", "x = '\"'"),
    ("x = (a + b) * c", "x = a + b * c"),
    ("if a:\n    b\nc", "if a:\n    b\n    c"),
    ("x = a, b", "x = a\nb"),
    ("f(a, b)", "f((a, b))"),
    ("x = ''", "x = ''''''\ny"),
    ("x = '1'", "x = 1"),
    ("x = ab", "x = a\nb"),
]


@pytest.mark.quick
@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_program(one: str, other: str) -> None:
    assert dump(one) == dump(other)
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.quick
@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_program(one: str, other: str) -> None:
    assert fingerprint(one) != fingerprint(other)


def test_different_trees_have_different_fingerprints() -> None:
    trees: dict[str, str] = {}
    texts = list(PROGRAMS)
    for program in PROGRAMS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            texts += [ast.unparse(statement) for statement in ast.parse(program).body]
    for text in texts:
        try:
            found = fingerprint(text)
        except SimPyError:  # a return without its function
            continue
        assert trees.setdefault(found, dump(text)) == dump(text), text
    assert len(trees) > 500


# ------------------------------------------------------------------------------------------------------------ near


def test_near_duplicates_are_found_in_order() -> None:
    pytest.importorskip("datasketch")
    from simpy_corpus.near_duplicates import find, signature

    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "simpy_grammar").glob("s*.py"))]
    changed = texts[1].replace("return", "return  # c", 3) + "\nlast = 1\n"
    programs = [canonical(read_stream(text, Dialect.load("python"))) for text in [*texts, changed, texts[3]]]
    found = list(find(((10 * i, signature(program)) for i, program in enumerate(programs)), 0.8))
    assert [(number, earlier) for number, earlier, _ in found] == [(10 * len(texts), 10), (10 * len(texts) + 10, 30)]
    assert found[1][2] == 1.0 and 0.8 <= found[0][2] <= 1.0


# --------------------------------------------------------------------------------------------------------- filters

TABLE = "VALUES = [\n" + "".join(f"    {i * 7919 % 100003}, 'some text {i}',\n" for i in range(300)) + "]\n"
FILTERED = {
    "Django": ("# Generated by Django 4.2 on 2024-01-01\nfrom django.db import migrations\n", "generated"),
    "protocol buffers": ("# -*- coding: utf-8 -*-\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\nx = 1\n", "generated"),
    "thrift": ('#\n# Autogenerated by Thrift Compiler (0.9.1)\n#\n"""Doc."""\nx = 1\n', "generated"),
    "docstring": ('"""\nThis file was automatically generated by SWIG\n"""\nx = 1\n', "generated"),
    "marker": ("# @generated\nx = 1\n", "generated"),
    "table": (TABLE, "data"),
    "minified": (f"x = [{', '.join(['name'] * 400)}]\n", "long-lines"),
}
KEPT = {
    "about generators": '"""Yields what is generated by the parser."""\nx = 1\n',
    "further down": "import a\n# Generated by Django\nx = 1\n",
    "a short table": "VALUES = [1, 2, 3]\n",
    "a long docstring": '"""' + "Words that explain.\n" * 300 + '"""\nx = 1\n',
    "code": (ROOT / "simpy_grammar" / "speller.py").read_text(encoding="utf-8"),
}


@pytest.mark.quick
@pytest.mark.parametrize("case", FILTERED)
def test_what_a_filter_refuses(case: str) -> None:
    program, reason = FILTERED[case]
    for name, check in FILTERS.items():
        [found] = convert_batch([program], verify=False, checks=[check])
        assert found.error == (name if name == reason else None)


@pytest.mark.quick
@pytest.mark.parametrize("case", KEPT)
@pytest.mark.parametrize("name", FILTERS)
def test_what_a_filter_keeps(case: str, name: str) -> None:
    [found] = convert_batch([KEPT[case]], verify=False, checks=[FILTERS[name]])
    assert found.error is None


# ----------------------------------------------------------------------------------------------------- evaluations

PROBLEM = {
    "task_id": "Test/0",
    "prompt": "from typing import List\n\n\ndef closest(values: List[float], near: float) -> float:\n"
    '    """The value that is closest to another one.\n'
    '    >>> closest([1.0, 2.0], 1.4)\n    1.0\n    """\n',
    "canonical_solution": "    best = values[0]\n    for value in values:\n        if abs(value - near) < abs(best - near):\n"
    "            best = value\n    return best\n",
}
BODY = str(PROBLEM["canonical_solution"])
CONTAMINATED = {
    "the solution": "def closest(values, near):\n" + BODY,
    "under another name": "def nearest(values, near):\n    # mine\n" + BODY,
    "as an inner function": "def main():\n    def f(values: list, near: float) -> int:\n        'doc'\n"
    + BODY.replace("\n    ", "\n        ").replace("    best", "        best", 1),
    "the docstring": str(PROBLEM["prompt"]) + "    return min(values, key=lambda value: abs(value - near))\n",
    "the whole": "# found\n" + str(PROBLEM["prompt"]) + BODY,
}
CLEAN = {
    "another solution": "def closest(values, near):\n    return min(values, key=lambda value: abs(value - near))\n",
    "other parameters": "def closest(near, values):\n" + BODY,
    "a short function": "def __init__(self, a):\n    self.a = a\n",
}


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory: pytest.TempPathFactory) -> Evaluations:
    path = tmp_path_factory.mktemp("evaluation") / "human.jsonl"
    others = [
        {"text": "Add.", "code": "def add(a, b):\n    return a + b"},
        {"code": "class A:\n    def __init__(self, a):\n        self.a = a\n"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in [PROBLEM, *others]), encoding="utf-8")
    pytest.importorskip("pyarrow")
    return Evaluations.from_bytes(Evaluations.read([str(path)]).to_bytes())


def why(program: str, evaluations: Evaluations) -> str | None:
    return evaluations.why(canonical(read_stream(program, Dialect.load("python"))))


@pytest.mark.parametrize("case", CONTAMINATED)
def test_what_an_evaluation_holds(case: str, evaluations: Evaluations) -> None:
    assert why(CONTAMINATED[case], evaluations)


@pytest.mark.parametrize("case", CLEAN)
def test_what_it_does_not_hold(case: str, evaluations: Evaluations) -> None:
    assert why(CLEAN[case], evaluations) is None


def test_a_short_function_is_known_by_its_name(evaluations: Evaluations) -> None:
    assert why("def add(a, b):\n    'Sum.'\n    return a + b", evaluations) == "it holds the function add of an evaluation"
    assert why("def plus(a, b):\n    return a + b", evaluations) is None


def test_an_evaluation_without_programs_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "a.jsonl").write_text('{"question": "?"}\n')
    with pytest.raises(SimPyError, match="no programs of an evaluation"):
        Evaluations.read([str(tmp_path / "a.jsonl")])


def test_functions_are_cut_out_whole() -> None:
    program = (
        "class A:\n    @p\n    def f(self, a: int = 1) -> str:\n        'd'\n        def g(): return a\n"
        "        return g\nasync def h(): pass\n"
    )
    assert [function.name for function in functions(canonical(read_stream(program, Dialect.load("python"))))] == ["f", "g", "h"]
