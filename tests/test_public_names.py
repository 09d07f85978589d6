"""The public names: each can be imported first, and importing a module never puts the module in the place of a function."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import simpy_grammar
import transpiler

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(
    module.name for package in (transpiler, simpy_grammar) for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
)

# What is asked of each public name when it has been imported first of all.
USES = {
    "Beginning": "Beginning('x', '', None).simpy",
    "Decoder": "Decoder().feed('a=1')",
    "Encoder": "Encoder().feed('a = 1\\n')",
    "Edit": "Edit",
    "Lexeme": "Lexeme('NAME', 'a', 0).end",
    "SourceMap": "SourceMap",
    "View": "View",
    "completion": "completion('f(')",
    "convert": "convert('a=1', source='classic', target='dense')",
    "decode": "decode('a=1')",
    "encode": "encode('a = 1')",
    "encode_beginning": "encode_beginning('a = ')",
    "lexemes": "lexemes('a=1')",
    "merge": "merge('a = 1\\n', 'a = 2\\n')",
    "replace": "replace('a = 1\\n', '1', '2')",
    "source_map": "source_map('a = 1\\n', 'a=1')",
    "view": "view('a = 1\\n', ['no-comments'])",
}


def run(code: str) -> None:
    """Run code in a fresh interpreter."""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{code}\n{result.stderr}"


def test_every_public_name_has_a_use() -> None:
    assert set(USES) == set(transpiler.__all__)


def test_no_public_name_is_that_of_a_module() -> None:
    modules = {name.rpartition(".")[2] for name in MODULES}
    assert not modules & {*transpiler.__all__}
    assert not modules & {name for name in vars(simpy_grammar) if callable(getattr(simpy_grammar, name))}


@pytest.mark.parametrize("name", USES)
def test_a_name_that_is_imported_first(name: str) -> None:
    others = "; ".join(f"transpiler.{other}" for other in USES)
    run(
        f"from transpiler import {name}\n{USES[name]}\nimport transpiler\n{others}\n"
        + "".join(f"transpiler.{use}\n" for use in USES.values())
    )


def test_importing_every_module_replaces_no_name() -> None:
    run(
        "import importlib, transpiler\n"
        f"names = {transpiler.__all__!r}\n"
        "before = {name: getattr(transpiler, name) for name in names}\n"
        f"for module in {MODULES!r}: importlib.import_module(module)\n"
        "assert before == {name: getattr(transpiler, name) for name in names}\n"
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_is_imported_first_replaces_no_name(module: str) -> None:
    uses = "".join(f"transpiler.{use}\n" for use in USES.values())
    run(f"import {module}\nimport transpiler\n{uses}")


def test_unknown_names() -> None:
    with pytest.raises(AttributeError):
        transpiler.partial_parts  # type: ignore[attr-defined]  # noqa: B018  # that it is not there is the point
    assert importlib.import_module("transpiler") is transpiler
