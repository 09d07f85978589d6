"""Draw docs/beside.svg: the example of README in Python and, beside it, in dialects of SimPy.

    python docs/draw_beside.py            draw it
    python docs/draw_beside.py --check    write nothing; exit 1 if the picture is stale

The programs are what `simpy encode` writes; only the line breaks of SimPy are those of the picture.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from transpiler import encode  # noqa: E402  # the path must be set first

EXAMPLE, PICTURE = ROOT / "examples" / "two_sum.py", ROOT / "docs" / "beside.svg"
SHOWN = ("classic", "dense")
WRAP = 52  # characters of a line of SimPy
CHAR, LINE, MARGIN = 7.23, 18, 16  # width of a character, height of a line and margin, in pixels
PARTS = re.compile(r"<[a-z_]+>|\w+|\s+|->|.")
_STYLE = """\
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; fill: #1f2328; }
  .frame { fill: #f6f8fa; stroke: #d1d9e0; } .title { font-weight: bold; fill: #59636e; }
  .word { fill: #cf222e; } .token { fill: #8250df; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .frame { fill: #151b23; stroke: #3d444d; } .title { fill: #9198a1; }
    .word { fill: #ff7b72; } .token { fill: #d2a8ff; }
  }"""


def wrapped(text: str) -> Iterator[str]:
    """A program of SimPy in lines that end between two words or tokens."""
    line = ""
    for part in PARTS.findall(text):
        if len(line) + len(part) > WRAP:
            yield line
            line = ""
        line += part
    yield line


def coloured(line: str) -> str:
    """A line as SVG, with keywords and tokens in angle brackets in colour."""
    found = []
    for part in PARTS.findall(line):
        kind = "token" if part[0] == "<" and len(part) > 1 else "word" if keyword.iskeyword(part) else None
        found.append(f'<tspan class="{kind}">{escape(part)}</tspan>' if kind else escape(part))
    return "".join(found)


def panel(title: str, lines: list[str], left: float, top: float, columns: int) -> str:
    """A frame with a title and some lines."""
    width, height = columns * CHAR + 2 * MARGIN, (len(lines) + 1) * LINE + MARGIN
    texts = [f'<text class="title" x="{left + MARGIN:.0f}" y="{top + LINE + 4:.0f}">{title}</text>']
    for at, line in enumerate(lines, 2):
        texts.append(f'<text xml:space="preserve" x="{left + MARGIN:.0f}" y="{top + at * LINE + 4:.0f}">{coloured(line)}</text>')
    frame = f'<rect class="frame" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"/>'
    return "\n".join([frame, *texts])


def picture() -> str:
    """The whole picture."""
    source = EXAMPLE.read_text(encoding="utf-8")
    python = source.rstrip("\n").split("\n")
    columns = max(map(len, python))
    panels, top = [panel("Python", python, 0.5, 0.5, columns)], 0.5
    left = columns * CHAR + 3 * MARGIN
    for dialect in SHOWN:
        lines = list(wrapped(encode(source, dialect=dialect)))
        panels.append(panel(f"SimPy, {dialect}", lines, left, top, WRAP))
        top += (len(lines) + 1) * LINE + 1.5 * MARGIN
    width, height = left + WRAP * CHAR + 2 * MARGIN + 1, max(top, (len(python) + 2) * LINE + MARGIN)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="The same function in Python and in SimPy">'
    return "\n".join([opening, f"<style>\n{_STYLE}\n</style>", *panels, "</svg>\n"])


def main() -> int:
    """Draw the picture, or look whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 if the picture is stale")
    found = picture()
    if not parser.parse_args().check:
        PICTURE.write_text(found, encoding="utf-8")
    elif PICTURE.read_text(encoding="utf-8") != found:
        print(f"{PICTURE.relative_to(ROOT)} is stale: run python docs/draw_beside.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
