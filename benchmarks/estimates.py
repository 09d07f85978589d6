"""Fits the estimate of token counts to a vocabulary, and measures on other packages how far off it is.

    python benchmarks/estimates.py --fit DIR... --json FILE        fit weights, and write them into the code
    python benchmarks/estimates.py --measure DIR... --json FILE    measure them
    python benchmarks/estimates.py --json FILE --write             write the errors into the code and the page
    python benchmarks/estimates.py --json FILE --check             say whether these are stale

FILE is `benchmarks/results/estimates.json`, every DIR is one package, and `--vocab NAME` is what `simpy tokens` takes. The vocabulary cuts
a text into the same pieces as `tokenizer_ext.piece_costs` does, so the tokens of a piece are known, and a weight is an average over
the pieces of its class in every dialect. Python and `compact`, which share no grammar tokens, count twice. Nothing measured was fitted to.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from statistics import mean, pstdev
from typing import Any, NamedTuple

import numpy as np

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.pages import put
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tokenizer_ext import TokenCounter, load_tokenizer
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.counting import CountedProgram
from tokenizer_ext.piece_costs import FIRSTS, LONGEST, PIECE, SHAPES, SIGNS, Weights, signs_class, word_class
from tokenizer_ext.token_finder import TokenFinder
from transpiler import encode
from transpiler.source import read_source

CODE = Path(__file__).resolve().parent.parent / "tokenizer_ext" / "estimation_weights.py"
COMMAND = "python benchmarks/estimates.py --json benchmarks/results/estimates.json --write"
INFINITE = 'float("inf")'
DIALECTS = ("python", "compact", "classic", "dense", "dense-newline")
TWICE = ("python", "compact")
_EXACT = 300  # pieces whose tokens are kept as they are
_SEEN_IN = 4  # packages that must have such a piece, or it would be chosen for one of them
_FEW = 20  # what is known otherwise about a class counts as much as so many pieces
_TURNS = 10
_SMALL = 1e-4  # differences between dialects below this share are noise
_SIZES = (300, 3_000, 15_000)  # tokens of a Python text at which errors are told apart
_NOT_CODE = {"test", "tests", "idle_test", "lib2to3", "site-packages", "_vendor", "__pycache__"}


def files(folder: Path, size: int) -> Iterator[str]:
    """About ``size`` characters of whole files below a folder, the same each time."""
    found = [path for path in sorted(folder.rglob("*.py")) if not _NOT_CODE & set(path.relative_to(folder).parts)]
    random.Random(1).shuffle(found)
    for path in found:
        try:
            source = read_source(path.read_bytes())
            ast.parse(source)
        except (SimPyError, SyntaxError, ValueError):
            continue
        if 200 < len(source) < 60_000:
            yield source
            size -= len(source)
        if size < 0:
            return


# ------------------------------------------------------------------------------------------------------------ fitting


class Piece(NamedTuple):
    """A piece of the texts that are fitted to."""

    text: str
    is_word: bool
    times: tuple[int, ...]  # in each of DIALECTS
    packages: int
    tokens: int

    @property
    def weight(self) -> float:
        """How often it occurs, where Python and `compact` count twice."""
        return sum(times * (2 if name in TWICE else 1) for name, times in zip(DIALECTS, self.times, strict=True))


def pieces(folders: Sequence[Path], size: int, count: Callable[[list[str]], list[int]]) -> list[Piece]:
    """The pieces of all texts, with how often they occur and how many tokens they are."""
    times: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0] * len(DIALECTS))
    seen: dict[tuple[str, bool], set[str]] = defaultdict(set)
    dialects = [(name, Dialect.load(name)) for name in DIALECTS]
    finders = {name: None if dialect.is_python else TokenFinder(dialect.special_tokens, dialect) for name, dialect in dialects}
    for folder in folders:
        for source in files(folder, size):
            for i, (name, dialect) in enumerate(dialects):
                text = source if name == "python" else encode(source, dialect=dialect, verify=False)
                for part in _ordinary(text, finders[name]):
                    for match in PIECE.finditer(part):
                        if match.lastgroup:
                            key = match[0], match.lastgroup == "word"
                            times[key][i] += 1
                            seen[key].add(str(folder))
    tokens = count([text for text, _ in times])
    return [Piece(*key, tuple(one), len(seen[key]), found) for (key, one), found in zip(times.items(), tokens, strict=True)]


def _ordinary(text: str, finder: TokenFinder | None) -> Iterator[str]:
    """The texts between the tokens of the dialect."""
    at = 0
    for start, end in finder.find(text) if finder else ():
        yield text[at:start]
        at = end
    yield text[at:]


def fit(found: list[Piece]) -> Weights:
    """Averages over the classes of pieces, and the tokens of those pieces that averages are most wrong about.

    Within a class the pieces of one dialect may be cheaper than those of another, so the averages are then moved, as little as
    possible, until the sum of each dialect is right.
    """
    rough = _averages(found, {})
    wrong = sorted(
        (piece for piece in found if piece.packages >= _SEEN_IN),
        key=lambda piece: (-piece.weight * abs(rough.price(piece.text, piece.is_word) - piece.tokens), piece.text),
    )
    exact = {piece.text: piece.tokens for piece in wrong[:_EXACT]}
    rest = [piece for piece in found if piece.text not in exact]
    return _balanced(_averages(rest, exact), rest)


def _balanced(weights: Weights, found: list[Piece]) -> Weights:
    rows: dict[tuple[str, ...], list[float]] = {("word", name): [*row] for name, row in weights.words.items()}
    rows |= {(name,): [*row] for name, row in weights.signs.items()}
    cells = {(name, i): number for number, (name, i) in enumerate((name, i) for name in rows for i in range(LONGEST))}
    uses, size = np.zeros((len(DIALECTS), len(cells))), np.full(len(cells), float(_FEW))
    off = np.zeros(len(DIALECTS))
    for piece in found:
        times = np.array(piece.times)
        off += times * (weights.price(piece.text, piece.is_word) - piece.tokens)
        if piece.text.isascii():
            first, length = word_class(piece.text)[:2] if piece.is_word else signs_class(piece.text)
            units = 1.0 if first == "again" else _over(length)
            cell = cells[("word", first) if piece.is_word else (first,), min(length, LONGEST) - 1]
            uses[:, cell] += times * units
            size[cell] += piece.weight * units
    pull = np.linalg.lstsq(uses / size @ uses.T, off, rcond=_SMALL)[0]
    moved = (pull @ uses) / size
    for (name, i), number in cells.items():
        rows[name][i] -= float(moved[number])
    words, signs = {name: rows["word", name] for name in weights.words}, {name: rows[name,] for name in weights.signs}
    return Weights(words, weights.shapes, signs, weights.letters, weights.other, weights.exact)


def _averages(found: list[Piece], exact: dict[str, int]) -> Weights:
    ascii_words = [piece for piece in found if piece.is_word and piece.text.isascii()]
    words, shapes = _words(ascii_words)
    letters, other = (
        _line([piece for piece in found if not piece.text.isascii() and piece.is_word == is_word]) for is_word in (True, False)
    )
    return Weights(words, shapes, _signs([piece for piece in found if not piece.is_word and piece.text.isascii()]), letters, other, exact)


def _signs(found: list[Piece]) -> dict[str, list[float]]:
    """Tokens of signs in a row by their number."""
    sums = _Sums()
    for piece in found:
        name, length = signs_class(piece.text)
        sums.add((name, min(length, LONGEST)), piece.weight, piece.tokens, 1.0 if name == "again" else _over(length))
    rows: dict[str, list[float]] = {}
    for name in SIGNS:
        rows[name] = []
        for length in range(1, LONGEST + 1):
            rows[name].append(sums.mean((name, length), rows[name][-1] if length > 1 else 1.0))
    return rows


def _words(found: list[Piece]) -> tuple[dict[str, list[float]], dict[tuple[int, bool], float]]:
    """Tokens by the character before a word and its length, and what each shape adds, by turns until both are right on average."""
    classes = [word_class(piece.text) for piece in found]
    lengths = range(1, LONGEST + 1)
    rows: dict[tuple[str, int], float] = {}
    shapes = dict.fromkeys(SHAPES, 0.0)
    for _ in range(_TURNS):
        sums = _Sums()
        for piece, (first, length, shape) in zip(found, classes, strict=True):
            for key in ((first, min(length, LONGEST)), min(length, LONGEST)):
                sums.add(key, piece.weight, piece.tokens - shapes[shape], _over(length))
        rows = {(first, length): sums.mean((first, length), sums.mean(length, 2.0)) for first in (*FIRSTS, "?") for length in lengths}
        sums = _Sums()
        for piece, (first, length, shape) in zip(found, classes, strict=True):
            sums.add(shape, piece.weight, piece.tokens - rows[first, min(length, LONGEST)] * _over(length))
        shapes = {shape: sums.mean(shape, 0.0) for shape in SHAPES}
    return {first: [rows[first, length] for length in lengths] for first in (*FIRSTS, "?")}, shapes


class _Sums:
    """Averages by class; where a class is small, drawn to what is known otherwise."""

    def __init__(self) -> None:
        self._sums: dict[Hashable, tuple[float, float]] = {}

    def add(self, key: Hashable, weight: float, value: float, units: float = 1.0) -> None:
        """Add a value that stands for so many units."""
        of, total = self._sums.get(key, (0.0, 0.0))
        self._sums[key] = of + weight * units, total + weight * value

    def mean(self, key: Hashable, otherwise: float) -> float:
        of, total = self._sums.get(key, (0.0, 0.0))
        return (_FEW * otherwise + total) / (_FEW + of)


def _over(length: int) -> float:
    """How many times the longest length that has a weight of its own; at least once."""
    return max(1.0, length / LONGEST)


def _line(found: list[Piece]) -> tuple[float, float]:
    """Tokens by bytes: those of none, and those of each more; least squares."""
    weight = sum(piece.weight for piece in found)
    sizes = [len(piece.text.encode()) for piece in found]
    size = sum(piece.weight * size for piece, size in zip(found, sizes, strict=True)) / weight
    tokens = sum(piece.weight * piece.tokens for piece in found) / weight
    both = sum(piece.weight * (piece.tokens - tokens) * (one - size) for piece, one in zip(found, sizes, strict=True))
    by_byte = both / sum(piece.weight * (one - size) ** 2 for piece, one in zip(found, sizes, strict=True))
    return tokens - by_byte * size, by_byte


# ---------------------------------------------------------------------------------------------------------- measuring


class Measured(NamedTuple):
    """One text: its package, whether it is all of it, and for each of ``DIALECTS`` its tokens and the estimate."""

    package: str
    is_all: bool
    tokens: tuple[int, ...]
    estimates: tuple[int, ...]


def measure(folders: Sequence[Path], size: int, tokenizer: Any) -> list[Measured]:
    """Functions and classes, files and packages, each as a text of its own."""
    exact, about = TokenCounter(tokenizer, dialects=DIALECTS), TokenCounter(None, dialects=DIALECTS)
    found: list[Measured] = []
    for folder in folders:
        whole: list[Measured] = []
        for source in files(folder, size):
            for text in (source, *_snippets(source)):
                program = CountedProgram(text)
                counts, guesses = ([one.tokens for one in counter.count(program).values()] for counter in (exact, about))
                one = Measured(str(folder), False, tuple(counts), tuple(guesses))
                found.append(one)
                if text is source:
                    whole.append(one)
        sums = [[sum(column) for column in zip(*rows, strict=True)] for rows in ([f.tokens for f in whole], [f.estimates for f in whole])]
        found.append(Measured(str(folder), True, tuple(sums[0]), tuple(sums[1])))
    return found


def _snippets(source: str) -> Iterator[str]:
    """Two functions or classes of a module, as a chat would quote them."""
    named = [node for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.decorator_list]
    for node in named[:2]:
        yield (ast.get_source_segment(source, node) or "") + "\n"


def errors(found: list[Measured]) -> dict[str, Any]:
    """What the page and the code say: for each size and dialect the mean error and the one that nine of ten texts stay below."""
    rows = []
    for low, high in zip((1, *_SIZES), (*_SIZES, None), strict=True):
        texts = [one for one in found if low <= one.tokens[0] < (high or float("inf"))]
        row: dict[str, Any] = {"below": high, "texts": len(texts), "dialects": {}}
        for i, name in enumerate(DIALECTS):
            off = [100 * (one.estimates[i] / one.tokens[i] - 1) for one in texts]
            saved = [100 * (one.tokens[i] / one.tokens[0] - one.estimates[i] / one.estimates[0]) for one in texts]
            row["dialects"][name] = {"tokens": _summary(off), "saved": _summary(saved)}
        rows.append(row)
    together = {}
    for i, name in enumerate(DIALECTS):
        true, about = (sum(column) for column in zip(*((one.tokens[i], one.estimates[i]) for one in found if one.is_all), strict=True))
        together[name] = {"tokens": true, "estimate": about}
    return {"packages": len({one.package for one in found}), "together": together, "sizes": rows}


def _summary(off: list[float]) -> dict[str, float]:
    ordered = sorted(map(abs, off))
    return {
        "mean": round(mean(off), 2),
        "deviation": round(pstdev(off), 2),
        "nine of ten": round(ordered[int(0.9 * (len(ordered) - 1))], 2),
    }


# ------------------------------------------------------------------------------------------------------------- output


def written(result: dict[str, Any]) -> str:
    """The module with the weights and the errors."""
    fitted = result["fitted"]
    lines = [
        '"""Weights of the estimate of token counts, and how far off it is.',
        "",
        "Written by ``benchmarks/estimates.py``; how good they are stands in docs/dualcode.md.",
        '"""',
        "",
        "# fmt: off",
        "from __future__ import annotations\n",
        "from tokenizer_ext.piece_costs import Weights\n",
        f"VOCABULARY = {json.dumps(fitted['vocabulary'])}",
        '"""The vocabulary that the weights are fitted to."""',
        "WEIGHTS = Weights(",
        "    words={",
        *(f"        {json.dumps(first)}: {_numbers(row)}," for first, row in fitted["words"].items()),
        "    },",
        "    shapes={",
        *(f"        ({parts}, {capitals}): {more:.2f}," for parts, capitals, more in fitted["shapes"]),
        "    },",
        "    signs={",
        *(f"        {json.dumps(name)}: {_numbers(row)}," for name, row in fitted["signs"].items()),
        "    },",
        f"    letters={_numbers(fitted['letters'])},",
        f"    other={_numbers(fitted['other'])},",
        "    exact={",
    ]
    by_tokens: dict[int, list[str]] = defaultdict(list)
    for text, tokens in fitted["exact"].items():
        by_tokens[tokens].append(text)
    for tokens in sorted(by_tokens):
        row = "        "
        for text in sorted(by_tokens[tokens]):
            if len(row) > 100:
                lines.append(row.rstrip())
                row = "        "
            row += f"{json.dumps(text)}: {tokens}, "
        lines.append(row.rstrip())
    lines += ["    },", ")", "ERRORS = ("]
    rows = [(row["below"] or INFINITE, _worst(row, "tokens"), _worst(row, "saved")) for row in result.get("measured", {}).get("sizes", ())]
    lines += [f"    ({below}, {tokens:g}, {saved:g})," for below, tokens, saved in rows or [(INFINITE, 100, 100)]]
    lines += [
        ")",
        '"""For texts of fewer tokens than the first number: nine of ten estimates are off by at most so many percent, and those of what',
        'a dialect saves by at most so many percentage points."""',
    ]
    return "\n".join(lines) + "\n"


def _numbers(row: Sequence[float]) -> str:
    return f"({', '.join(f'{number:.2f}' for number in row)})"


def _worst(row: dict[str, Any], what: str) -> float:
    """Of the dialect that is estimated worst, rounded up."""
    worst = max(one[what]["nine of ten"] for one in row["dialects"].values())
    return float(-(-worst // 1)) if what == "tokens" else -(-worst * 2 // 1) / 2


def page(result: dict[str, Any]) -> str:
    """The figures for docs/dualcode.md."""
    fitted, measured = result["fitted"], result["measured"]
    lines = [
        f"Fitted to {fitted['packages']} packages, measured on {measured['packages']} others, with {fitted['vocabulary']}.",
        "",
        "| Python tokens | texts | spelling | tokens: mean error | deviation | nine of ten within | saved: mean error | deviation "
        "| nine of ten within |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    python = measured["together"]["python"]
    lines[1:1] = [
        f"Together they have {python['tokens']:,} tokens as Python, and the estimate says {python['estimate']:,}. Saved:",
        ", ".join(
            f"`{name}` {100 * (1 - one['tokens'] / python['tokens']):.1f} %, said {100 * (1 - one['estimate'] / python['estimate']):.1f} %"
            for name, one in measured["together"].items()
            if name != "python"
        )
        + ".",
    ]
    low = 1
    for row in measured["sizes"]:
        high = row["below"]
        size = f"{low:,} to {high - 1:,}" if high else f"{low:,} or more"
        for name, one in row["dialects"].items():
            cells = [f"{one['tokens']['mean']:+.1f} %", f"{one['tokens']['deviation']:.1f} %", f"{one['tokens']['nine of ten']:.1f} %"]
            if name == "python":
                cells += ["", "", ""]
            else:
                cells += [f"{one['saved']['mean']:+.1f}", f"{one['saved']['deviation']:.1f}", f"{one['saved']['nine of ten']:.1f}"]
            lines.append(f"| {size} | {row['texts']:,} | `{name}` | " + " | ".join(cells) + " |")
        low = high or low
    return "\n".join(lines) + "\n"


def main() -> int:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--vocab", default="cl100k_base", metavar="NAME")
    parser.add_argument("--fit", nargs="+", type=Path, default=[], metavar="DIR")
    parser.add_argument("--measure", nargs="+", type=Path, default=[], metavar="DIR")
    parser.add_argument("--size", type=int, default=80_000, help="characters of each package")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    result: dict[str, Any] = json.loads(args.json.read_text()) if args.json.exists() else {}
    if args.fit:
        ordinary = adapter_of(load_tokenizer(args.vocab)).ordinary(())
        found = pieces(args.fit, args.size, lambda texts: [len(ids) for ids in ordinary.encode(texts)])
        weights = fit(found)
        result["fitted"] = {name: getattr(weights, name) for name in Weights.__slots__}
        result["fitted"]["shapes"] = [(*shape, more) for shape, more in weights.shapes.items()]
        result["fitted"] |= {"vocabulary": args.vocab, "packages": len(args.fit)}
        result.pop("measured", None)  # of other weights
        CODE.write_text(written(result), encoding="utf-8")  # what is measured next
    if args.measure:
        result["measured"] = errors(measure(args.measure, args.size, load_tokenizer(args.vocab)))
    if args.fit or args.measure:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if not (args.write or args.check):
        return 0
    stale = args.check and CODE.read_text(encoding="utf-8") != written(result)
    if stale:
        print(f"{CODE.name} is stale: run {COMMAND}", file=sys.stderr)
    if args.write:
        CODE.write_text(written(result), encoding="utf-8")
    return max(int(stale), put("dualcode.md", "estimates", page(result), COMMAND, args.check))


if __name__ == "__main__":
    sys.exit(main())
