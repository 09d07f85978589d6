"""The order of imports breaks nothing: no public name is the name of a module beside it, and no files import each other in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import tokenizer_ext

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tokenizer_ext").rglob("*.py"))
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES]
PACKAGES = [module for module, path in zip(MODULES, FILES, strict=True) if path.name == "__init__.py"]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_the_name_of_a_module(package: str) -> None:
    beside = {module.rpartition(".")[2] for module in MODULES if module.rpartition(".")[0] == package}
    public = import_module(package).__all__
    assert public == sorted(public)
    assert beside.isdisjoint(public)
    for module in MODULES:
        if module.rpartition(".")[0] == package:
            defined = {node.name for node in tree(module).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
            assert module.rpartition(".")[2] not in defined


@pytest.mark.parametrize("name", tokenizer_ext.__all__)
def test_every_name_can_be_the_first_that_is_imported(name: str) -> None:
    """And stays what it is when all modules have been imported after it, or before."""
    code = f"""
import importlib, types
from tokenizer_ext import {name} as first
for module in {MODULES!r}: importlib.import_module(module)
from tokenizer_ext import {name} as last
assert first is last and not isinstance(first, types.ModuleType)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stderr == ""


@pytest.mark.parametrize("modules", [MODULES, MODULES[::-1]], ids=["forwards", "backwards"])
def test_modules_can_be_imported_in_any_order(modules: list[str]) -> None:
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)\nfrom tokenizer_ext import *\nextend, learn, fit"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stderr == ""


def test_what_is_imported_is_no_module_by_accident() -> None:
    assert not [name for name in tokenizer_ext.__all__ if isinstance(getattr(tokenizer_ext, name), ModuleType)]


def test_no_files_import_each_other_in_a_circle() -> None:
    edges = {module: imported(module) for module in MODULES if module not in PACKAGES}
    done: list[str] = []
    while edges:
        free = [module for module, targets in edges.items() if not targets & edges.keys()]
        assert free, f"a circle among {sorted(edges)}"
        done += free
        for module in free:
            del edges[module]
    assert set(done) | set(PACKAGES) == set(MODULES)


def imported(module: str) -> set[str]:
    """The files of the package that a file needs: a name of a package counts as the file that defines it."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found |= origin(node.module, alias.name)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(MODULES)


def origin(module: str, name: str) -> set[str]:
    """The file that a name of a module comes from."""
    if f"{module}.{name}" in MODULES:
        return {f"{module}.{name}"}
    if module not in PACKAGES:
        return {module}
    for node in tree(module).body:
        if isinstance(node, ast.ImportFrom) and node.module and any((alias.asname or alias.name) == name for alias in node.names):
            return origin(node.module, name)
    return set()


def tree(module: str) -> ast.Module:
    return ast.parse(FILES[MODULES.index(module)].read_bytes())
