"""How long the playground takes in a browser: until the first conversion, and for a program of about 200 lines.

    python benchmarks/playground.py                                         measure the built page (web/dist), print the figures
    python benchmarks/playground.py --json benchmarks/results/playground.json    and keep them
    python benchmarks/playground.py --render [--check]                      put the last figures into docs/playground.md, or look

Needs Node.js, the packages of web/ and Chromium (see docs/playground.md). Each run is a browser that has kept nothing: from opening the
page to the first conversion that is shown. Then the program is edited, and for each edit is measured from the edit to the conversion that
is shown, with its proof and source map, and to the tokens that are coloured; and from an edit on the right to the Python on the left.
What is shown is medians, and the fastest. A machine that does other things shows larger figures; `load` says how busy it was.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first

RESULTS = Path(__file__).resolve().parent / "results" / "playground.json"
PROGRAM = ROOT / "simpy_cli" / "commands" / "edit.py"
WHAT = {
    "first": "opening the page, to the first conversion",
    "first_counted": "and to its tokens",
    "converted": "an edit of Python, to the conversion with proof and source map",
    "counted": "and to the tokens of both sides",
    "decoded": "an edit of SimPy, to the Python with its proof",
}


def measure(runs: int) -> dict[str, Any]:
    """The times of the page, in milliseconds."""
    node = shutil.which("node")
    if node is None or not (ROOT / "web" / "dist" / "index.html").exists():
        raise SystemExit("this needs Node.js and the built page: cd web && npm ci && npm run build")
    load = os.getloadavg()[0]
    command = [node, "measure.mjs", str(PROGRAM), str(runs)]
    found = subprocess.run(command, cwd=ROOT / "web", env={**os.environ, "PYTHON": sys.executable}, check=True, stdout=subprocess.PIPE)
    times = json.loads(found.stdout)
    return {
        "browser": times.pop("browser"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "load": round(load, 1),
        "program": {"file": PROGRAM.relative_to(ROOT).as_posix(), "lines": len(PROGRAM.read_text(encoding="utf-8").splitlines())},
        "runs": runs,
        "milliseconds": {
            name: {"median": round(statistics.median(values)), "fastest": round(min(values)), "times": len(values)}
            for name, values in times.items()
        },
    }


def table(data: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| from | median | fastest |", "| --- | ---: | ---: |"]
    for name, what in WHAT.items():
        row = data["milliseconds"][name]
        lines.append(f"| {what} | {row['median']:,} ms | {row['fastest']:,} ms |")
    program = data["program"]
    lines += [
        "",
        f"{data['browser']} on {data['machine']}, where {data['load']:g} other processes wanted to run; {data['runs']} browsers that",
        f"had kept nothing. Edits are of `{program['file']}`, {program['lines']} lines.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and report; 1 if the page is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="browsers (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("playground.md", "playground", text, "python benchmarks/playground.py --render", options.check)
    data = measure(options.runs)
    if options.json:
        options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(table(data), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
