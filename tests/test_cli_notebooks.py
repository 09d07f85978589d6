"""Notebooks: their code cells are converted there and back, and every other byte stays."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from simpy_cli.main import main
from simpy_cli.notebooks import Notebook
from simpy_grammar.dialect import BUILT_IN, COMPACT


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def code(source: str | list[str]) -> dict[str, Any]:
    """A code cell, with an output that looks like code."""
    output = {"output_type": "stream", "name": "stdout", "text": ["x = 1\n"]}
    return {"cell_type": "code", "execution_count": 3, "metadata": {"tags": ["é"]}, "outputs": [output], "source": source}


def notebook(*cells: str | list[str], language: str = "python") -> dict[str, Any]:
    """A notebook with a cell of text and some of code."""
    text = {"cell_type": "markdown", "metadata": {}, "source": ["```python\n", "x = 1\n", "```"]}
    metadata = {"kernelspec": {"display_name": "K", "language": language, "name": "k"}, "language_info": {"name": language}}
    return {"cells": [text, *map(code, cells)], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


CELLS: tuple[str | list[str], ...] = (
    ["%matplotlib inline\n", "import os\n", "files = !ls\n", "def f(a, b):\n", "    return a + b"],
    "x = '%d' % 1\ny = 'é'",
    ["%%bash\n", "ls | x = 1"],
    [],
    "",
    ["if f:\n", '    !pip install -q "a"\n', "    print?\n", "s = '''\n", "!ls\n", "'''"],
    ["%%time\n", "x = f(1, 2)  # why\n"],
)
LAYOUTS: dict[str, Callable[[Any], bytes]] = {
    "as Jupyter writes it": lambda content: (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(),
    "wide": lambda content: json.dumps(content, indent=4, sort_keys=True).encode(),
    "on one line": lambda content: json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(),
    "tabs and CRLF, with a mark": lambda content: (
        b"\xef\xbb\xbf" + json.dumps(content, indent="\t").replace("\n", "\r\n").encode() + b"\r\n\r\n"
    ),
}


def sources(data: bytes) -> list[str]:
    """The texts of the code cells."""
    content = json.loads(data.decode("utf-8-sig"))
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dialect", [*BUILT_IN, COMPACT])
def test_there_and_back(layout: str, dialect: str) -> None:
    data = LAYOUTS[layout](notebook(*CELLS))
    Path("n.ipynb").write_bytes(data)
    assert main(["encode", "n.ipynb", "--dialect", dialect, "-o", "n.simpy.ipynb", "-q"]) == 0
    encoded = Path("n.simpy.ipynb").read_bytes()
    assert main(["decode", "n.simpy.ipynb", "--dialect", dialect, "-o", "back.ipynb", "-q"]) == 0
    back = Path("back.ipynb").read_bytes()
    for changed in (encoded, back):
        assert _without_sources(changed) == _without_sources(data)  # every other byte
    assert sources(encoded)[2:5] == sources(data)[2:5] and sources(encoded)[0].startswith("%matplotlib inline\n")
    assert '!pip install -q "a"\n' in sources(encoded)[5]
    if dialect == COMPACT:
        assert sources(encoded)[5].startswith('if f:\n !pip install -q "a"\n print?\n')
    for before, after in zip(sources(data), sources(back), strict=True):
        assert lines_of_ipython(after) == lines_of_ipython(before)
    assert ast.dump(ast.parse(sources(back)[1])) == ast.dump(ast.parse(sources(data)[1]))
    assert main(["encode", "back.ipynb", "--dialect", dialect, "-o", "again.ipynb", "-q"]) == 0
    assert sources(Path("again.ipynb").read_bytes()) == sources(encoded)


@pytest.mark.parametrize("source", [*BUILT_IN, COMPACT])
@pytest.mark.parametrize("target", [*BUILT_IN, COMPACT])
def test_between_dialects(source: str, target: str) -> None:
    Path("n.ipynb").write_bytes(LAYOUTS["wide"](notebook(*CELLS)))
    assert main(["encode", "n.ipynb", "--dialect", source, "-o", "one.simpy.ipynb", "-q"]) == 0
    assert main(["encode", "n.ipynb", "--dialect", target, "-o", "other.simpy.ipynb", "-q"]) == 0
    assert main(["convert", "one.simpy.ipynb", "--from", source, "--to", target, "-o", "out.simpy.ipynb", "-q"]) == 0
    assert Path("out.simpy.ipynb").read_bytes() == Path("other.simpy.ipynb").read_bytes()


def _without_sources(data: bytes) -> list[str]:
    """The file between the texts of its code cells."""
    found = Notebook(data, "")
    edges = [0, *(edge for cell in found.cells for edge in (cell.start, cell.end)), len(found._text)]
    return [found._text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]


def lines_of_ipython(cell: str) -> list[str]:
    """The lines that begin as IPython's do, or end so."""
    return [line.strip() for line in cell.split("\n") if line.strip()[:1] in ("%", "!") or line.endswith("?") or "= !" in line]


def test_only_cells_of_code_change() -> None:
    data = LAYOUTS["as Jupyter writes it"](notebook(*CELLS))
    Path("n.ipynb").write_bytes(data)
    assert main(["encode", "n.ipynb", "-o", "out.ipynb", "-q"]) == 0
    assert _without_sources(Path("out.ipynb").read_bytes()) == _without_sources(data)


def test_in_place_and_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    Path("src/n.ipynb").write_bytes(LAYOUTS["as Jupyter writes it"](notebook("def f(a, b):\n    pass")))
    Path("src/a.py").write_text("x = 1\n")
    assert main(["encode", "src", "--in-place", "-q"]) == 0
    assert sorted(path.name for path in Path("src").iterdir()) == ["a.simpy", "n.simpy.ipynb"]
    assert main(["encode", "src/n.simpy.ipynb", "-q"]) == 2
    assert "the cells of this notebook are SimPy already" in capsys.readouterr().err
    assert main(["decode", "src", "--in-place", "-q"]) == 0
    assert sorted(path.name for path in Path("src").iterdir()) == ["a.py", "n.ipynb"]
    assert sources(Path("src/n.ipynb").read_bytes()) == ["def f(a, b):\n    pass"]


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    Path("n.ipynb").write_bytes(LAYOUTS["as Jupyter writes it"](notebook(*CELLS)))
    assert main(["check", "."]) == 0
    assert capsys.readouterr().err == "1 file checked in 7 dialects: 1 the same\n"


def test_check_finds_a_fault_in_a_cell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("n.ipynb").write_bytes(LAYOUTS["as Jupyter writes it"](notebook("x = 1", "y = 2")))
    decode = transpiler.decode
    monkeypatch.setattr(transpiler, "decode", lambda text, **options: decode(text.replace("2", "3"), **options))
    assert main(["check", "n.ipynb", "--dialect", "classic"]) == 1
    assert capsys.readouterr().out == "n.ipynb: classic: cell 3: the syntax tree differs in line 1: 2 became 3\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LAYOUTS["wide"](notebook("x = 1", "y = = 1\n%time f()")), "n.ipynb:cell 3:1:5: error: invalid syntax\n  y = = 1\n      ^\n"),
        (LAYOUTS["wide"](notebook("x <- 1", language="R")), "n.ipynb: error: a notebook of r, not of Python\n"),
        (b"x = 1\n", "n.ipynb: error: not a notebook: Expecting value"),
        (b"{}", "n.ipynb: error: not a notebook\nhint: a notebook is JSON with a list of cells\n"),
        (b"[]", "n.ipynb: error: not a notebook\n"),
        (b'{"worksheets": []}', "n.ipynb: error: not a notebook: it has no list of cells, as notebooks before version 4\n"),
        (b'{"cells": [1]}', "n.ipynb: error: not a notebook: cell 1 is not an object\n"),
        (b'{"cells": [{"cell_type": "code"}]}', "n.ipynb: error: not a notebook: cell 1 has no source\n"),
        (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "n.ipynb: error: not a notebook: cell 1 has no source\n"),
        (b'{"cells": "\xe9"}', "n.ipynb: error: not a notebook: 'utf-8' codec"),
        (b"[" * 100_000, "n.ipynb: error: not a notebook"),
    ],
)
def test_what_cannot_be_read_is_left_alone(data: bytes, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("n.ipynb").write_bytes(data)
    assert main(["encode", "n.ipynb", "--in-place", "-q"]) == 2
    assert capsys.readouterr().err.startswith(message)
    assert [path.name for path in Path().iterdir()] == ["n.ipynb"] and Path("n.ipynb").read_bytes() == data


@pytest.mark.parametrize("command", ["view", "tokens"])
def test_commands_without_notebooks_say_so(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("n.ipynb").write_bytes(LAYOUTS["wide"](notebook("x = 1")))
    assert main([command, "n.ipynb", "-q"]) == 2
    assert "n.ipynb: error: a notebook, which this command does not read" in capsys.readouterr().err


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=4), st.randoms(use_true_random=False))
def test_any_text_of_cells(texts: list[str], chance: random.Random) -> None:
    """Whatever the cells hold, other texts can be put into them, and the old ones give the old file."""

    def as_source(text: str) -> str | list[str]:
        return text.splitlines(keepends=True) if chance.random() < 0.5 else text

    data = json.dumps(notebook(*map(as_source, texts)), indent=chance.choice([None, 1, 2]), ensure_ascii=chance.random() < 0.5)
    found = Notebook(data.encode(), "")
    assert [cell.source for cell in found.cells] == texts
    assert found.replace(texts) == data.encode()
    new = [f"{text}é\n" for text in texts]
    assert sources(found.replace(new)) == new
