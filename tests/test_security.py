"""The promises of SECURITY.md: each has tests that exist, and here are those that no other file has."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

import transpiler
from fuzz.native import pure_python
from simpy_cli.main import build_parser, main
from simpy_cli.option_sources import read_options
from simpy_cli.serve_options import OPTIONS, PREFIX
from simpy_grammar.errors import RoundTripError
from simpy_grammar.speller import Speller
from transpiler import conversion, native_conversion

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = re.findall(r"^\| (.+?) \| (`tests/.+`) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("promise", "tests"), PROMISES, ids=[promise[:40] for promise, _ in PROMISES])
def test_every_promise_has_tests_that_exist(promise: str, tests: str) -> None:
    named = re.findall(r"`(tests/\w+\.py)::(\w+)`", tests)
    assert len(named) == len(tests.split()), tests
    for path, name in named:
        tree = ast.parse((ROOT / path).read_bytes())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}, (
            f"{path} has no {name}"
        )


def test_the_table_is_read_whole() -> None:
    section = PAGE.split("## What is promised")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    assert len(rows) == len(PROMISES) >= 15


@pytest.mark.parametrize("wrong", ["x=2", "x=1<line_sep>x=1", "<pass>", "x=(", ""])
@pytest.mark.parametrize("verify", [True, "stream"])
def test_a_broken_encoder_is_noticed(wrong: str, verify: Literal[True, "stream"], monkeypatch: pytest.MonkeyPatch) -> None:
    written = native_conversion.converted
    monkeypatch.setattr(Speller, "spell_all", lambda self, stream: [wrong])
    monkeypatch.setattr(conversion, "converted", lambda text, old, new, width: written(text, old, new, width) if new.is_python else wrong)
    with pytest.raises(RoundTripError):
        transpiler.encode("x = 1\n", verify=verify)
    with pure_python(), pytest.raises(RoundTripError):
        transpiler.encode("x = 1\n", verify=verify)


def test_converting_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("open('ran', 'w').close()\nimport b\n")
    Path("b.py").write_text("open('ran', 'w').close()\n")
    for words in (
        ["encode", "a.py", "-o", "a.simpy"],
        ["convert", "--to", "dense", "a.simpy", "-o", "b.simpy"],
        ["decode", "a.simpy", "-o", "c.py"],
        ["check", "a.py"],
    ):
        assert main([*words, "-q"]) == 0
        assert not Path("ran").exists(), words
    subprocess.run(
        [sys.executable, "-m", "simpy_cli", "run", "a.simpy"], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=120
    )
    assert Path("ran").exists(), "`simpy run` does run it"


def test_the_core_touches_nothing() -> None:
    """What CPython audits while texts are converted, once all modules and tables are loaded."""
    code = """
import sys, transpiler
from simpy_grammar.errors import SimPyError
from tests.golden import cases, errors

def convert():
    for case in (*cases(), *errors()):
        for text in list(case.sections.values()):
            for dialect in ("classic", "dense", "compact"):
                for do in (transpiler.encode, transpiler.decode):
                    try: do(text, dialect=dialect)
                    except SimPyError: pass
                transpiler.encode_beginning(text, dialect)

texts = (cases(), errors())
cases, errors = (lambda: texts[0]), (lambda: texts[1])
convert()
heard = set()
def hook(event, arguments):
    nothing = event == "open" and arguments[0] == ""  # where CPython looks for the line of a syntax error
    if not nothing and event not in ("compile", "object.__getattr__", "sys._getframe"): heard.add(event)
sys.addaudithook(hook)
convert()
print(*sorted(heard))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [], "")


def test_the_proxy_listens_on_this_machine() -> None:
    args = build_parser(["serve"]).parse_args(["serve", "--upstream", "http://127.0.0.1:1"])
    assert read_options(OPTIONS, vars(args), {}, PREFIX).host == "127.0.0.1"
