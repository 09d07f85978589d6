"""Draw the pictures of docs/how-it-works.md: the path of a program, DualCode, and an edit whose place is found.

    python docs/draw_pictures.py            draw them
    python docs/draw_pictures.py --check    write nothing; exit 1 if one is stale

What stands in the frames is what the toolchain gives; only the arrangement is drawn here.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.draw_beside import CHAR, LINE, MARGIN, PARTS, coloured  # noqa: E402  # the path must be set first
from dualcode import MixedText  # noqa: E402  # as above
from transpiler import decode, encode, lexemes, replace, view  # noqa: E402  # as above

FOLDER = ROOT / "docs" / "pictures"
PROSE = "\0"  # begins a line that is not code
_STYLE = """\
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; fill: #1f2328; }
  .back { fill: #ffffff; } .frame { fill: #f6f8fa; stroke: #d1d9e0; } .word { fill: #cf222e; } .token { fill: #8250df; }
  .title, .note { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; } .title { font-weight: bold; fill: #59636e; }
  .note { fill: #59636e; } .mark { fill: #fff1b8; } .line { stroke: #59636e; fill: none; stroke-width: 1.5; } .head { fill: #59636e; }
  .proof { stroke: #1a7f37; stroke-dasharray: 5 4; } .proved { fill: #1a7f37; font-weight: bold; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .back { fill: #0d1117; } .frame { fill: #151b23; stroke: #3d444d; }
    .word { fill: #ff7b72; } .token { fill: #d2a8ff; }
    .title, .note { fill: #9198a1; } .mark { fill: #4b3a00; } .line { stroke: #9198a1; } .head { fill: #9198a1; }
    .proof { stroke: #3fb950; } .proved { fill: #3fb950; }
  }"""
_SIZES = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
_ARROW = f'<marker id="head" {_SIZES} orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>'


def _coloured(line: str) -> str:
    """A line of code in colour, up to its comment; a line that begins with `PROSE` without colour."""
    if line.startswith(PROSE):
        return escape(line.removeprefix(PROSE))
    code, sign, comment = line.partition("#")
    return coloured(code) + sign + escape(comment)


class Picture:
    """Frames, arrows and notes on a page; places and sizes are in pixels."""

    def __init__(self, width: int, height: int, label: str) -> None:
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(label)}">',
            f"<style>\n{_STYLE}\n</style>\n<defs>{_ARROW}</defs>",
            f'<rect class="back" width="{width}" height="{height}" rx="8"/>',
        ]

    def frame(
        self, title: str, lines: list[str], at: tuple[int, int], size: tuple[int, int], marked: tuple[int, int, int] | None = None
    ) -> None:
        """A frame with code in it; ``marked`` is a line and the columns in it that stand out."""
        (left, top), (width, height) = at, size
        self._parts.append(f'<rect class="frame" x="{left}" y="{top}" width="{width}" height="{height}" rx="6"/>')
        self._parts.append(f'<text class="title" x="{left + MARGIN}" y="{top + LINE + 4}">{escape(title)}</text>')
        for number, line in enumerate(lines):
            base = top + (number + 2) * LINE + 8
            if marked and marked[0] == number:
                x, wide = left + MARGIN + marked[1] * CHAR, (marked[2] - marked[1]) * CHAR
                self._parts.append(f'<rect class="mark" x="{x:.1f}" y="{base - 13}" width="{wide:.1f}" height="{LINE - 1}" rx="2"/>')
            self._parts.append(f'<text xml:space="preserve" x="{left + MARGIN}" y="{base}">{_coloured(line)}</text>')

    def arrow(self, start: tuple[int, int], end: tuple[int, int], said: str = "", style: str = "line") -> None:
        """An arrow with a word at its middle."""
        ends = 'marker-end="url(#head)"' if style == "line" else ""
        self._parts.append(f'<path class="line {style}" d="M{start[0]} {start[1]}L{end[0]} {end[1]}" {ends}/>')
        if said:
            self.note(said, ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2 - 8), "middle")

    def note(self, text: str, at: tuple[int, int], anchor: str = "start", style: str = "note") -> None:
        """Words outside of the frames, one line each."""
        for number, line in enumerate(text.split("\n")):
            self._parts.append(
                f'<text class="{style}" text-anchor="{anchor}" x="{at[0]}" y="{at[1] + number * LINE}">{escape(line)}</text>'
            )

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>\n"])


def path_of_a_program() -> Picture:
    """Text, stream, text, and the way back that the proof takes."""
    source = "if a<b:\n    f( a,1 )  # why"
    simpy = encode(source)
    rows = [f"{lexeme.terminal:<18}{lexeme.text if lexeme.is_data else ''}" for lexeme in lexemes(simpy)]
    picture = Picture(900, 340, "Python is read into a stream of lexemes, which is spelled as SimPy, and back")
    picture.frame("Python, as you wrote it", source.split("\n"), (16, 42), (236, 76))
    picture.frame("Python again", decode(simpy).rstrip("\n").split("\n"), (16, 226), (236, 76))
    picture.frame("one stream of lexemes", rows, (340, 20), (220, 52 + LINE * len(rows)))
    picture.frame("SimPy", _folded(simpy, 27), (648, 114), (236, 94))
    picture.arrow((252, 80), (340, 80), "read")
    picture.arrow((560, 142), (648, 142), "spell")
    picture.arrow((648, 188), (560, 188), "read")
    picture.arrow((340, 264), (252, 264), "lay out")
    picture.arrow((134, 118), (134, 226), style="proof")
    picture.note("the same syntax tree,\nproved each time", (146, 168), style="note proved")
    return picture


def _folded(text: str, columns: int) -> list[str]:
    """A text of SimPy in lines that end between two tokens."""
    lines = [""]
    for part in PARTS.findall(text):
        if "\n" in part or len(lines[-1]) + len(part) > columns:
            lines.append("")
        lines[-1] += part.replace("\n", "")
    return [line for line in lines if line]


def person_and_model() -> Picture:
    """What a person says and reads, and what the model reads and writes."""
    mixed = MixedText("classic")
    asked = "Why is this None?\n```python\ndef f(a):\n    if a == 1:\n        return 2\n```"
    answer = "It ends without `return`:\n```python\n<def_stmt>f a<block_start><return>a<eq>1<block_end>\n```"
    picture = Picture(900, 372, "A person reads and writes Python, a model SimPy, and DualCode converts between them")
    picture.frame("you write", _message(asked), (16, 16), (260, 152))
    picture.frame("the model reads", _message(mixed.to_model(asked).text), (624, 16), (260, 152))
    picture.frame("the model writes", _message(answer), (624, 204), (260, 152))
    picture.frame("you read", _message(mixed.to_person(answer).text), (16, 204), (260, 152))
    picture.frame("DualCode", [PROSE + "wrapper: dualcode", PROSE + "proxy:   simpy serve"], (352, 140), (196, 76))
    picture.arrow((276, 92), (624, 92))
    picture.note("Python in the text is encoded and proved;\nall else passes as it is", (450, 66), "middle")
    picture.arrow((624, 280), (276, 280))
    picture.note("SimPy is decoded while it streams;\nwhat cannot be decoded passes with a note", (450, 304), "middle")
    return picture


def _message(text: str) -> list[str]:
    """The lines of a message: a sentence, and a fenced block, in which SimPy is folded."""
    sentence, mark, *code, end = text.split("\n")
    folded = [part for line in code for part in (_folded(line, 31) if line.startswith("<") else [line])]
    return [PROSE + sentence, PROSE + mark, *folded, PROSE + end]


def an_edit_finds_its_place() -> Picture:
    """A piece that was quoted from compact code, and the bytes of the file that change."""
    source = "def total(net):\n    gross = scaled(\n        net,  # no tax\n        RATE,\n    )\n    return gross\n"
    old, new = "scaled(net,RATE)", "scaled(net,rate(net))"
    edit = replace(source, old, new)
    changed = edit.ranges[0]
    line = edit.text.split("\n")[changed.line - 1]
    column = line.index(changed.new)
    seen = view(source, ["no-comments"]).program
    picture = Picture(900, 368, "A model quotes compact code, and the edit finds the same tokens in the file of the person")
    picture.frame("your file", source.rstrip("\n").split("\n"), (16, 16), (260, 148))
    picture.frame("the model reads", seen.rstrip("\n").split("\n"), (490, 16), (394, 148))
    picture.frame("the model asks for", [f"old  {old}", f"new  {new}"], (490, 204), (394, 76))
    shown = (changed.line - 1, column, column + len(changed.new))
    picture.frame("your file afterwards", edit.text.rstrip("\n").split("\n"), (16, 204), (260, 148), shown)
    picture.arrow((276, 90), (490, 90), "compact, no comments")
    picture.arrow((687, 164), (687, 204))
    picture.arrow((490, 244), (276, 244), "found on the stream of lexemes")
    said = "The quote has another layout and no comment;\nits tokens are the same. Only the marked bytes change,\n"
    picture.note(said + "and the new syntax tree is proved.", (506, 312))
    return picture


PICTURES = {"path.svg": path_of_a_program, "dualcode.svg": person_and_model, "edit.svg": an_edit_finds_its_place}


def main() -> int:
    """Draw the pictures, or look whether one is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 if a picture is stale")
    check, stale = parser.parse_args().check, 0
    for name, draw in PICTURES.items():
        path, text = FOLDER / name, str(draw())
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{path.relative_to(ROOT)} is stale: run python docs/draw_pictures.py", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
