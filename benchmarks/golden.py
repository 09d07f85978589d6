"""Tokens of the example in README, `examples/two_sum.py`: Python beside SimPy.

    python benchmarks/golden.py --vocab FOLDER             print the table of the vocabularies in FOLDER
    python benchmarks/golden.py --vocab FOLDER --check     does README show this table?

FOLDER holds one folder per vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`. The first columns are counts of the vocabulary
*as it is*, the others of one to which the tokens of the dialect have been *added*. A final newline and tokens that a tokenizer puts
around a text are not counted.
"""

from __future__ import annotations

import argparse
import lzma
import os
import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer

import transpiler
from simpy_grammar.dialect import Dialect

ROOT = Path(__file__).resolve().parent.parent
AS_IT_IS, ADDED = ("python", "compact", "classic"), ("classic", "dense", "dense-newline")
# Folder name -> how README calls the vocabulary.
VOCABULARIES = {
    "codebert": "CodeBERT",
    "starcoder": "StarCoder",
    "cl100k_base": "GPT-4 (cl100k)",
    "o200k_base": "GPT-4o (o200k)",
    "qwen2.5": "Qwen 2.5",
}


def load(folder: Path) -> Tokenizer:
    """The tokenizer of a folder."""
    plain = folder / "tokenizer.json"
    data = plain.read_bytes() if plain.exists() else lzma.decompress((folder / "tokenizer.json.xz").read_bytes())
    return Tokenizer.from_str(data.decode())


def count(folder: Path, source: str) -> list[int]:
    """Tokens of a program in each dialect: with the vocabulary as it is, and with the tokens of the dialect."""
    stock = load(folder)
    counts = [len(stock.encode(text_of(source, name), add_special_tokens=False).ids) for name in AS_IT_IS]
    for name in ADDED:
        tokenizer = load(folder)
        tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in Dialect.load(name).special_tokens])
        counts.append(len(tokenizer.encode(text_of(source, name), add_special_tokens=False).ids))
    return counts


def text_of(source: str, dialect: str) -> str:
    """A program in a dialect."""
    return source if dialect == "python" else transpiler.encode(source, dialect=dialect)


def table(vocabularies: Path) -> str:
    """The Markdown table."""
    source = (ROOT / "examples" / "two_sum.py").read_text(encoding="utf-8").removesuffix("\n")
    names = [*(f"`{name}`, as it is" for name in AS_IT_IS), *(f"`{name}`, added" for name in ADDED)]
    rows = [f"| vocabulary | {' | '.join(names)} |", f"| --- |{' ---: |' * len(names)}"]
    for folder, name in VOCABULARIES.items():
        if (vocabularies / folder).is_dir():
            rows.append(f"| {name} | {' | '.join(map(str, count(vocabularies / folder, source)))} |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """Print the table, or compare it with README."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--check", action="store_true", help="exit 1 if README.md shows another table")
    options = parser.parse_args()
    if options.vocab is None:
        parser.error("say with --vocab or $SIMPY_VOCAB where the vocabularies are")
    found = table(options.vocab)
    if options.check:
        if found not in (ROOT / "README.md").read_text(encoding="utf-8"):
            print(f"README.md does not show this table:\n{found}", file=sys.stderr)
            return 1
        return 0
    print(found, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
