"""What SimPy saves where a vocabulary is trained on nothing but Python: the strongest argument against it, measured.

    python benchmarks/native_vocabulary.py --vocab FOLDER --learn DIR... --packages DIR... [--write]

Trains byte-level BPE vocabularies of 32,000 tokens on `--learn` and counts the tokens of `--packages`, code only, against those of
Python in the cl100k_base of FOLDER. A vocabulary of *words* cuts text as GPT-2 does, so that no token crosses a blank; one of
*superwords* may merge all of a line of Python, its line break and indent included, or all of a statement of SimPy. The tokens of the
grammar and aliases are one symbol each that may be merged like any other; they count among the 32,000. `--write` keeps the results,
and docs/tokens.md shows them: `python benchmarks/tokens.py --render benchmarks/results/tokens.json --write`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import transpiler  # noqa: E402  # the path must be set first
from benchmarks.tokens import read  # noqa: E402  # as above
from simpy_grammar.aliases import split
from simpy_grammar.dialect import Dialect
from simpy_grammar.speller import Speller
from simpy_grammar.terminals import ID
from tokenizer_ext import load_tokenizer
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.programs import program_stream

RESULTS = Path(__file__).resolve().parent / "results" / "native_vocabulary.json"
SIZE = 32_000
SPELLINGS = ("python", "compact", "dense", "dense-aliases-64")
_LINE = re.compile(r"\n\s*[^\n]*|[^\n]+")
_STARTS = frozenset(ID[name] for name in ("LINE_SEP", "BLOCK_START", "BLOCK_END"))
_FIRST_SYMBOL = 0xE000
_LONGEST = 1000  # characters of a statement that are merged
HEADING = """## A vocabulary trained on nothing but Python

Vocabularies of 32,000 tokens, grammar tokens and aliases among them, trained by `benchmarks/native_vocabulary.py` on %.1f MB of the
packages that were learned on, and measured on the same %d packages, code only. A vocabulary of *words* merges nothing across a blank, one
of *superwords* all of a line of Python, or of a statement of SimPy. Percent fewer tokens than Python has in cl100k_base; in brackets, than
Python has in a vocabulary of the same kind.
"""
VERDICT = """

Against a vocabulary of superwords for Python, SimPy's lead is %.1f %%, with aliases %.1f %%. Who trains a tokenizer for Python alone and
lets it merge across blanks gets most of what a grammar for models saves, without one. That is the strongest argument against SimPy. It
holds for models that are trained from scratch with a vocabulary of their own; the other tables are for vocabularies that exist.
"""


class Spelling:
    """Programs in one spelling, as the pieces that a vocabulary of superwords may merge.

    Args:
        name: "python", or a dialect.
    """

    def __init__(self, name: str) -> None:
        self.dialect = Dialect.load(name)
        self.symbols = {text: chr(_FIRST_SYMBOL + i) for i, text in enumerate(self.dialect.special_tokens)}

    def pieces(self, code: str) -> Iterator[str]:
        """The lines or statements of a program, grammar tokens as one character each."""
        if self.dialect.is_python:
            text = code if self.dialect.layout == "python" else transpiler.encode(code, dialect=self.dialect, verify=False)
            yield from (line[:_LONGEST] for line in _LINE.findall(text))
            return
        stream = program_stream(code)
        piece: list[str] = []
        for terminal, text in zip(stream.terminals, Speller(self.dialect).spell_all(stream), strict=True):
            if terminal in _STARTS and piece:
                yield "".join(piece)[:_LONGEST]
                piece = []
            name, alias = split(text) if terminal == ID["NAME"] else ("", "")
            piece += [name, self.symbols[alias]] if alias else [self.symbols.get(text, text)]
        yield "".join(piece)[:_LONGEST]


def trained(pieces: Iterable[str], words: bool) -> Any:
    """A byte-level BPE tokenizer of ``SIZE`` tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=words)
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, max_token_length=64
    )
    tokenizer.train_from_iterator(pieces, trainer)
    return tokenizer


def count(tokenizer: Any, pieces: Iterable[str]) -> int:
    """The tokens of some pieces."""
    counts = Counter(pieces)
    return sum(len(encoding.ids) * number for encoding, number in zip(tokenizer.encode_batch(list(counts)), counts.values(), strict=True))


def section(data: dict[str, Any]) -> str:
    """The Markdown of the results, for docs/tokens.md."""
    rows = {(row["spelling"], row["kind"]): row["tokens"] for row in data["rows"]}
    lines = [HEADING % (data["learned_mb"], len(data["measured_on"])), "| text | words | superwords |", "|---|---:|---:|"]
    for spelling in SPELLINGS:
        cells = []
        for kind in ("words", "superwords"):
            tokens = rows.get((spelling, kind))
            own = f" ({100 - 100 * tokens / rows['python', kind]:.1f})" if tokens and spelling != "python" else ""
            cells.append("" if tokens is None else f"{100 - 100 * tokens / data['python']:.1f}{own}")
        lines.append(f"| {spelling} | {' | '.join(cells)} |")
    dense, aliases = (100 - 100 * rows[name, "superwords"] / rows["python", "superwords"] for name in ("dense", "dense-aliases-64"))
    return "\n".join(lines) + VERDICT % (dense, aliases)


def main() -> int:
    """Train, count and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--learn", nargs="+", type=Path, required=True, metavar="DIR", help="packages to train on")
    parser.add_argument("--packages", nargs="+", type=Path, required=True, metavar="DIR", help="packages to measure on")
    parser.add_argument("--learn-mb", type=float, default=8.0, help="code to train on, in all (default 8)")
    parser.add_argument("--measure-mb", type=float, default=1.0, help="code to measure on, in all (default 1)")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    args = parser.parse_args()
    both = {path.name for path in args.learn} & {path.name for path in args.packages}
    if both:
        parser.error(f"trained on and measured on: {', '.join(sorted(both))}")
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    known, codes = (
        [code for path in paths for _, code in read(path, 1e6 * size / len(paths), tests=tests)]
        for paths, size, tests in ((args.learn, args.learn_mb, False), (args.packages, args.measure_mb, True))
    )
    plain = CostTable(ordinary_counts(load_tokenizer(str(args.vocab / "cl100k_base"))))
    data: dict[str, Any] = {
        "learned_mb": sum(map(len, known)) / 1e6,
        "measured_on": [path.name for path in args.packages],
        "python": sum(plain.total(codes)),
        "rows": [],
    }
    for name in SPELLINGS:
        spelling = Spelling(name)
        texts, held = ([piece for code in programs for piece in spelling.pieces(code)] for programs in (known, codes))
        for kind in ("words", "superwords"):
            tokens = count(trained(texts, kind == "words"), held)
            data["rows"].append({"spelling": name, "kind": kind, "tokens": tokens})
            print(f"{name}, {kind}: {tokens:,} tokens, {100 - 100 * tokens / data['python']:.1f} % below cl100k", flush=True)
    if args.write:
        RESULTS.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(section(data))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
