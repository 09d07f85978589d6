"""Fill the pages in docs/dialects: the same program in each dialect, small pieces, the added tokens, and counts of tokens.

    python docs/dialect_pages.py            write them
    python docs/dialect_pages.py --check    write nothing; exit 1 if one is stale

The prose of the pages is written by hand. What stands between their marks comes from the encoder, from `grammars/`, and from the tables
that `benchmarks/golden.py` checks in README and `benchmarks/tokens.py` writes to docs/tokens.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON, Dialect  # noqa: E402  # as above
from simpy_grammar.terminals import ID, TERMINALS  # noqa: E402  # as above
from transpiler import convert  # noqa: E402  # as above

COMMAND = "python docs/dialect_pages.py"
EXAMPLE = ROOT / "examples" / "cart.py"
NAMES = (*BUILT_IN, COMPACT, PYTHON)
PIECES = (
    "import a.b as c\nfrom d import e, f",
    "async def f(a, b=1, *c):\n    await g(a, k=b)",
    "class A(B):\n    pass",
    "for a, b in c:\n    if a not in b:\n        continue",
    "with f() as a, g():\n    b += 1",
    "try:\n    f()\nexcept E as e:\n    raise\nelse:\n    g()",
    "x = [a for a in b if a]",
    "x = {'k': [1, 2], **y}",
    "f(lambda a: a + 1)[1:2, 3]",
    "x = not a or b == 'c' 'd'",
    "def f(a: int = 1) -> str: ...",
    "x = 1  # why",
)
# Tokens that stand for no words of Python.
MEANINGS = {
    "<line_sep>": "the end of a statement, where none is implied",
    "<block_start>": "the colon and the indent of a block",
    "<block_end>": "the end of a block",
    "<concat>": "the blank between two strings that join",
    "<comment>": "a comment inside brackets",
    "<debug>": "the text of a field with `=` in an f-string",
}


def program(name: str) -> str:
    """The example as Python has it, and in a dialect."""
    source = EXAMPLE.read_text(encoding="utf-8")
    if name == PYTHON:
        return _fenced("python", source)
    language = "python compact" if name == COMPACT else f"simpy {name}"
    return _fenced("python", source) + "\n" + _fenced(language, spelled(source, name))


def spelled(source: str, name: str) -> str:
    """A program in a dialect."""
    return convert(source, source=PYTHON, target=name)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.removesuffix(chr(10))}\n```\n"


def pieces(name: str) -> str:
    """Small programs beside what the dialect makes of them."""
    rows = [f"| Python | `{name}` |", "| --- | --- |"]
    rows += [f"| {_code(piece)} | {_code(spelled(piece, name).rstrip(chr(10)))} |" for piece in PIECES]
    return "\n".join(rows) + "\n"


def _code(text: str) -> str:
    """A text of several lines as a code span of a table."""
    return "`" + text.replace("\n", "⏎").replace("|", "\\|") + "`"


def tokens(name: str) -> str:
    """The added tokens of a dialect, each with what it stands for."""
    dialect = Dialect.load(name)
    rows = [f"{len(dialect.special_tokens)} tokens, in the order of their ids:\n", "| token | stands for |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| `{token}` | {_meaning(dialect, token)} |" for token in dialect.special_tokens)]) + "\n"


def _meaning(dialect: Dialect, token: str) -> str:
    if token in MEANINGS:
        return MEANINGS[token]
    terminals = [terminal for terminal, texts in dialect.spellings.items() if token in texts]
    words = dict.fromkeys(TERMINALS[ID[terminal]].python.strip() for terminal in terminals)
    return " and ".join(f"`{word}`" for word in words if word).replace("|", "\\|")


def figures(name: str) -> str:
    """Tokens of the example of README and of whole packages, as the tables there have them."""
    return "".join(_golden(name)) + "".join(_packages(name))


def _golden(name: str) -> Iterator[str]:
    """Columns of the table that `benchmarks/golden.py` checks."""
    head, *rows = _table(ROOT / "README.md", "| vocabulary | `python`, as it is |")
    columns = [at for at, title in enumerate(head) if title.startswith(f"`{name}`,")]
    if not columns:
        return
    shown = [0, *dict.fromkeys([1, *columns])]
    yield "Tokens of `examples/two_sum.py`, as README has them; *added* means with the tokens of the dialect:\n\n"
    yield _markdown([[row[at] for at in shown] for row in (head, *rows)]) + "\n"


def _packages(name: str) -> Iterator[str]:
    """A column of docs/tokens.md: code of packages that nothing was fitted to."""
    head, *rows = _table(ROOT / "docs" / "tokens.md", "| vocabulary | Python tokens |")
    if name not in head:
        if Dialect.load(name).is_open:
            yield "Not measured yet.\n"
        return
    yield "Percent of Python's tokens saved on packages, without comments and docstrings ([tokens](../tokens.md)):\n\n"
    yield _markdown([["vocabulary", "saved"], *([row[0], row[head.index(name)]] for row in rows)])


def _table(page: Path, first: str) -> list[list[str]]:
    """The cells of the first table of a page whose head begins in this way, without the row of dashes."""
    lines = page.read_text(encoding="utf-8").split("\n")
    start = next(at for at, line in enumerate(lines) if line.startswith(first))
    end = next(at for at in range(start, len(lines)) if not lines[at].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for at, line in enumerate(lines[start:end]) if at != 1]


def _markdown(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"| --- |{' ---: |' * (len(rows[0]) - 1)}", *lines[1:]]) + "\n"


def lengths() -> str:
    """How long the example is in each dialect."""
    source = EXAMPLE.read_text(encoding="utf-8")
    rows = [["dialect", "characters of the program", "added tokens"]]
    for name in NAMES:
        rows.append([f"[`{name}`]({name}.md)", f"{len(spelled(source, name)):,}", str(len(Dialect.load(name).special_tokens) or "none")])
    return _markdown(rows)


SECTIONS: dict[str, Callable[[str], str]] = {"program": program, "pieces": pieces, "added tokens": tokens, "figures": figures}
SPACED = tuple(name for name in BUILT_IN if name.endswith("-spaced"))
LEFT_OUT = {PYTHON: ("pieces", "figures", "added tokens"), COMPACT: ("added tokens",), **dict.fromkeys(SPACED, ("figures",))}


def main() -> int:
    """Write the pages, or say whether one is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    check = parser.parse_args().check
    stale = pages.put("dialects/index.md", "lengths", lengths(), COMMAND, check)
    for name in NAMES:
        for mark, section in SECTIONS.items():
            if mark not in LEFT_OUT.get(name, ()):
                stale |= pages.put(f"dialects/{name}.md", mark, section(name), COMMAND, check)
    return stale


if __name__ == "__main__":
    sys.exit(main())
