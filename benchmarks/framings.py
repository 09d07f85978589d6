"""Tokens that conversion saves on files in each framing: as fences, in markup, behind gutters of line numbers.

    python benchmarks/framings.py --vocab FOLDER --packages DIR...                 measure, print the table
    python benchmarks/framings.py ... --json benchmarks/results/framings.json      and keep the figures
    python benchmarks/framings.py --render [--check]                               put the last figures into docs/what-you-save.md, or look

FOLDER holds one folder per vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`. Every DIR is a package, of which about
`--size` characters are read, tests left out. Each file is put into a message as some agent does, and converted by `MessageConverter` with
its default options, as `simpy serve` converts it. The tokens of the whole message are counted, before and after. The exit code is 1 if
a framing saves less than it should: what the plain file saves, but for `SLACK`, and `TARGET` percent with a gutter.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.views import VOCABULARIES, count_of, gutter, sources  # noqa: E402  # as above
from dualcode.conversion.messages import MessageConverter  # noqa: E402  # as above
from transpiler import encode  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "framings.json"
TARGET = 35.0  # percent, where a gutter of line numbers goes
SLACK = 1.5  # percent: the framing itself is not shortened
PLAIN = "the plain file, `compact`"


def _arrow(code: str) -> str:
    return "".join(f"{number:6}→{line}" for number, line in enumerate(code.splitlines(keepends=True), 1))


def _bars(code: str) -> str:
    lines = code.splitlines(keepends=True)
    return "".join(f"{number:{len(str(len(lines)))}} | {line}" for number, line in enumerate(lines, 1))


# name -> role of the message, its text, the percent that are to be saved, or None for what the plain file saves
FRAMINGS: dict[str, tuple[str, Callable[[str], str], float | None]] = {
    "fence, `python`": ("user", lambda code: f"See:\n\n`````python\n{code}`````\n", None),
    "fence, `12:15:path.py` (Cursor)": ("user", lambda code: f"`````1:900:src/app.py\n{code}`````\n", None),
    "bare fence under a path (aider)": ("user", lambda code: f"src/app.py\n`````\n{code}`````\n", None),
    "quoted fence": ("user", lambda code: "".join(f"> {line}\n" for line in f"`````py\n{code}`````".split("\n")), None),
    '`<file path="app.py">` (repomix)': ("user", lambda code: f'<file path="src/app.py">\n{code}</file>\n', None),
    "`<document>` with `<source>`": (
        "user",
        lambda code: f'<document index="1">\n<source>app.py</source>\n<document_content>\n{code}</document_content>\n</document>\n',
        None,
    ),
    "result of a tool, the file as it is": ("tool", str, None),
    "result of a tool, `cat -n`": ("tool", gutter, TARGET),
    "result of a tool, arrows": ("tool", _arrow, TARGET),
    "`<content>` with bars (Cline, Roo)": (
        "user",
        lambda code: f'<file><path>app.py</path>\n<content lines="1-900">\n{_bars(code)}</content>\n</file>\n',
        TARGET,
    ),
}


def measure(vocabularies: Path, packages: list[Path], size: int) -> dict[str, Any]:
    """Percent of the tokens of all files that are saved, per framing and vocabulary."""
    converter = MessageConverter("compact")
    files = [text if text.endswith("\n") else f"{text}\n" for package in packages for _, text in sources(package, size)]
    counts = {name: count_of(str(next((vocabularies / name).glob("tokenizer.json*")))) for name in VOCABULARIES}
    found: dict[str, dict[str, float]] = {}
    for framing, (role, write, _) in FRAMINGS.items():
        before = [write(code) for code in files]
        after = [converter.to_model([{"role": role, "content": text}]).messages[0]["content"] for text in before]
        found[framing] = {name: _saved(count, before, after) for name, count in counts.items()}
    compact = [encode(code, dialect="compact", verify=False) for code in files]
    found[PLAIN] = {name: _saved(count, files, compact) for name, count in counts.items()}
    names = [package.name for package in packages]
    return {"files": len(files), "packages": names, "python": platform.python_version(), "saved": found}


def _saved(count: Callable[[str], int], before: list[str], after: list[str]) -> float:
    return round(100 * (1 - sum(map(count, after)) / sum(map(count, before))), 1)


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown."""
    saved = results["saved"]
    rows = [f"| framing | {' | '.join(VOCABULARIES)} |", f"| --- |{' ---: |' * len(VOCABULARIES)}"]
    rows += [f"| {name} | {' | '.join(f'{saved[name][one]:.1f}' for one in VOCABULARIES)} |" for name in (PLAIN, *FRAMINGS)]
    head = f"Percent of the tokens of a message that are saved, over {results['files']} whole files ({', '.join(results['packages'])}):"
    return "\n".join((head, "", *rows, ""))


def misses(results: dict[str, Any]) -> list[str]:
    """The framings that save less than they should."""
    saved = results["saved"]
    plain = saved[PLAIN]["cl100k_base"] - SLACK
    return [name for name, (_, _, least) in FRAMINGS.items() if saved[name]["cl100k_base"] < (least or plain)]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vocab", type=Path, help="folder with a folder per vocabulary")
    parser.add_argument("--packages", type=Path, nargs="+", metavar="DIR", help="packages to read")
    parser.add_argument("--size", type=int, default=40_000, help="characters of each package (default 40000)")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    parser.add_argument("--render", action="store_true", help="put the last figures into docs/what-you-save.md")
    parser.add_argument("--check", action="store_true", help="with --render: only look")
    args = parser.parse_args()
    if args.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("what-you-save.md", "framings", text, "python benchmarks/framings.py --render", args.check)
    if not args.vocab or not args.packages:
        parser.error("--vocab and --packages are needed")
    results = measure(args.vocab, args.packages, args.size)
    print(table(results))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    missed = misses(results)
    for name in missed:
        print(f"saves too little: {name}", file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
