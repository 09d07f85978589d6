"""Every example in README and docs runs.

A ``python`` block with ``>>>`` is a doctest; one that is followed by a ``simpy`` block encodes to that block and back; any
other is a script. A ``console`` block is a shell session: what ``$ simpy`` and ``$ python`` commands print is compared. Of the commands
in a ``bash`` block it is checked that they exist and take their options; tests of the pages that are walks run them.
"""

from __future__ import annotations

import ast
import doctest
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import warnings
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import pytest

import transpiler
from simpy_cli.main import command_alone

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^(`{3,})(\w*) ?([^\n`]*)\n(.*?)^\1 *$", re.MULTILINE | re.DOTALL)
# Commands that set up, measure or run this very suite; .ci/run runs the first kind.
NOT_RUN = ("pip install", "python -m pip", "python -m venv", "pytest", "python -m pytest", ".ci/run", "python benchmarks/", "git ")
SHOWN_ONLY = {"", "text", "json", "lark", "toml", "diff", "bash", "yaml"}


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT).as_posix().removeprefix('docs/')}:{self.line}"


def blocks() -> list[Block]:
    """All blocks of all pages, in order."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found += [Block(page, text.count("\n", 0, m.start()) + 1, m[2], m[3].strip(), m[4]) for m in _FENCE.finditer(text)]
    return found


BLOCKS = blocks()
PYTHON = [block for block in BLOCKS if block.language == "python"]
SIMPY = [block for block in BLOCKS if block.language == "simpy"]
CONSOLE = [block for block in BLOCKS if block.language == "console"]


def source_of(block: Block) -> Block:
    """The Python that a ``simpy`` block is the encoding of: the last ``python`` block before it."""
    return [other for other in PYTHON if other.page == block.page and other.line < block.line][-1]


SPECIMENS = {source_of(block) for block in SIMPY}


def test_there_are_examples_of_every_kind() -> None:
    assert PYTHON and SIMPY and CONSOLE
    unknown = {block.language for block in BLOCKS} - {"python", "simpy", "console"} - SHOWN_ONLY
    assert not unknown, f"blocks of languages that nothing checks: {unknown}"


@pytest.mark.parametrize("block", [block for block in PYTHON if block not in SPECIMENS], ids=str)
def test_python_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if ">>>" in block.text:
        test = doctest.DocTestParser().get_doctest(block.text, {}, str(block), str(block.page), block.line)
        report: list[str] = []
        doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(test, out=report.append)
        assert not report, "".join(report)
    else:
        exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", SIMPY, ids=str)
def test_simpy_block_is_what_the_encoder_writes(block: Block) -> None:
    dialect = block.note or "classic"
    python = source_of(block).text
    simpy = block.text.removesuffix("\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a specimen may hold what CPython warns of
        assert transpiler.encode(python, dialect=dialect, verify=False).removesuffix("\n") == simpy
        back = transpiler.decode(simpy, dialect=dialect)
        try:
            expected = ast.dump(ast.parse(python))
        except SyntaxError:  # of a newer Python than this one
            assert transpiler.encode(back, dialect=dialect, verify=False).removesuffix("\n") == simpy
        else:
            assert ast.dump(ast.parse(back)) == expected


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_console_block_prints_what_it_says(block: Block, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("examples", "benchmarks", "docs", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, line in (("simpy", f'"{sys.executable}" -m simpy_cli "$@"'), ("python", f'"{sys.executable}" "$@"')):
        (programs / name).write_text(f"#!/bin/sh\nexec {line}\n")
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    for command, expected in session(block.text):
        if command.startswith(NOT_RUN):
            assert not expected, f"{command!r} is not run, so nothing may be said of what it prints"
            continue
        result = subprocess.run(
            ["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert result.stdout.rstrip("\n") == expected.rstrip("\n"), command


def shown_commands() -> list[tuple[Block, list[str]]]:
    """The commands of ``bash`` blocks in words, without the variables before them. None is run here: some need a network or root."""
    found = []
    for block in BLOCKS:
        if block.language == "bash":
            for line in block.text.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                starts = [0, *(at + 1 for at, word in enumerate(words) if word == "&&")]
                parts = [words[start : end - 1] for start, end in zip(starts, [*starts[1:], len(words) + 1], strict=True)]
                found += [(block, list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), part))) for part in parts if part]
    return found


@pytest.mark.parametrize(("block", "words"), shown_commands(), ids=lambda part: " ".join(part[:3]) if isinstance(part, list) else str(part))
def test_a_command_that_is_shown_is_there_and_takes_its_options(block: Block, words: list[str]) -> None:
    if words[0] == "simpy":
        command_alone(words[1]).parse_args(words[2:])  # what it does not take ends this test
    elif words[:2] == ["python", "-m"]:
        assert importlib.util.find_spec(words[2]), f"{block}: no module {words[2]}"
    elif words[0] == "python" and words[1].endswith(".py"):
        text = (ROOT / words[1]).read_text(encoding="utf-8")
        assert [word for word in words[2:] if word.startswith("--") and f'"{word}"' not in text] == []


def session(text: str) -> list[tuple[str, str]]:
    """The commands of a shell session, each with what it prints."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].rstrip("\n"), ""))
        else:
            assert found, "a console block starts with a command"
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def test_lines_that_diffs_add_are_in_the_code() -> None:
    sources = [*(ROOT / "grammars").glob("*.lark"), *(ROOT / "simpy_grammar").glob("*.py")]
    lines = {line for source in sources for line in source.read_text(encoding="utf-8").splitlines()}
    added = [line[1:] for block in BLOCKS if block.language == "diff" for line in block.text.splitlines() if line.startswith("+")]
    assert added
    assert [line for line in added if line not in lines and not any(known.startswith(f"{line}  #") for known in lines)] == []


def test_adding_syntax_shows_every_line_that_names_its_construct() -> None:
    """The page walks through PEP 810: what it leaves out is not there to be forgotten."""
    named = re.compile(r"lazy", re.IGNORECASE)
    texts = (path for folder in ("grammars", "simpy_grammar", "transpiler") for path in (ROOT / folder).glob("*"))
    sources = [path for path in texts if path.is_file() and path.suffix not in (".so", ".pyd")]
    lines = [(path, line) for path in sources for line in path.read_text(encoding="utf-8").splitlines() if named.search(line)]
    page = [block for block in BLOCKS if block.language == "diff" and block.page.name == "adding-syntax.md"]
    added = [line[1:] for block in page for line in block.text.splitlines() if line.startswith("+")]
    assert sorted(line for _, line in lines) == sorted(added)
    assert (len(lines), len({path for path, _ in lines}) + 1) == (7, 6)  # as the page says; the case is the sixth file


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ways = set[Path](), [ROOT / "README.md"]
    while ways:
        page = ways.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        ways += {(page.parent / link).resolve() for link in links} - reached
    assert not set(PAGES) - reached


def test_readme_names_every_page_beside_the_start_of_the_site() -> None:
    """Pages in folders of `docs` are named by the pages there."""
    named = set(re.findall(r"\]\(docs/([a-z-]+\.md)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
