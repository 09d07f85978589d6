"""`examples/first_model.ipynb`: valid, committed without outputs, and executed in small as Jupyter executes it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

for _library in ("nbclient", "ipykernel", "torch", "transformers", "accelerate", "datasets", "torchao"):
    pytest.importorskip(_library, reason="what the notebook needs is not installed")

import nbformat  # noqa: E402  # after the libraries that may be missing
from nbclient import NotebookClient  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "first_model.ipynb"
IN_SMALL = (  # the notebook takes some minutes
    (re.compile(r"^PACKAGES = \[.*\]", re.MULTILINE), 'PACKAGES = ["json", "urllib", "http"]'),
    (re.compile(r"^STEPS = \d+", re.MULTILINE), "STEPS = 4"),
)
LONG = 300  # seconds that a cell may take before the test fails


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def test_it_is_committed_without_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    assert [(cell.outputs, cell.execution_count, dict(cell.metadata)) for cell in code_cells(notebook)] == [([], None, {})] * 9
    assert NOTEBOOK.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"


def test_its_links_lead_somewhere() -> None:
    text = "".join(cell.source for cell in read().cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


def test_every_cell_runs_and_the_completion_is_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name, folder in (("TMPDIR", scratch), ("HOME", tmp_path), ("IPYTHONDIR", tmp_path / "ipython")):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before = sorted(path.name for path in NOTEBOOK.parent.iterdir())

    notebook = read()
    for pattern, small in IN_SMALL:
        notebook.cells[1].source, count = pattern.subn(small, notebook.cells[1].source)
        assert count == 1, pattern
    NotebookClient(notebook, timeout=LONG, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()

    (cell,) = (cell for cell in code_cells(notebook) if "dualcode.complete(" in cell.source)
    completed = printed(cell)
    assert completed.startswith("def is_empty(self):\n    ")
    (function,) = ast.parse(completed).body
    assert isinstance(function, ast.FunctionDef) and function.name == "is_empty" and function.body
    assert list(scratch.iterdir()) == [], "files are left behind"
    assert sorted(path.name for path in NOTEBOOK.parent.iterdir()) == before
