"""What a vocabulary loses when its rarest ids are given to new tokens: tokens of held-out code and prose, before and after.

    python benchmarks/reused_ids.py --vocab FOLDER                                  every vocabulary in FOLDER, print the table
    python benchmarks/reused_ids.py --vocab FOLDER --only starcoder --count 4096    one vocabulary, other numbers of ids
    python benchmarks/reused_ids.py --vocab FOLDER --json benchmarks/results/reused_ids.json   and keep the figures
    python benchmarks/reused_ids.py --render [--check]                              put the last figures into docs/learning.md, or look

FOLDER holds one folder for each vocabulary, with `tokenizer.json` or `tokenizer.json.xz`. Texts are those of the packages that are
installed beside this Python: *code* is Python files, *prose* is the descriptions of distributions. Every second package is read to find
the ids that are rarest, in code alone or in code and prose together; the others are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from tokenizer_ext import load_tokenizer, rarest_ids  # noqa: E402  # as above
from tokenizer_ext.adapters import OrdinaryTokenizer, adapter_of  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "reused_ids.json"
COUNTS = (1024, 16384)
CORPORA = {"code": ("code",), "code and prose": ("code", "prose")}
PART = 60_000  # characters of the code of one package: no package outweighs the others
Texts = dict[str, list[str]]  # "code" or "prose" -> texts


def code() -> Iterator[str]:
    """The code of each installed package."""
    root = Path(sysconfig.get_path("purelib"))
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.endswith(".dist-info")):
        texts: list[str] = []
        for path in sorted(folder.rglob("*.py")):
            if sum(map(len, texts)) >= PART:
                break
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
        if any(texts):
            yield "\n".join(texts)[:PART]


def prose() -> Iterator[str]:
    """The description of each installed distribution, without the fields before it."""
    root = Path(sysconfig.get_path("purelib"))
    for path in sorted(root.glob("*.dist-info/METADATA")):
        description = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")[2]
        if description:
            yield description


def split() -> tuple[Texts, Texts]:
    """The texts to count ids on, and the texts to measure."""
    texts = {"code": list(code()), "prose": list(prose())}
    return {name: found[::2] for name, found in texts.items()}, {name: found[1::2] for name, found in texts.items()}


def total(ordinary: OrdinaryTokenizer, texts: Sequence[str]) -> int:
    """The tokens of texts."""
    return sum(map(len, ordinary.encode(texts)))


def measure(tokenizer: Any, counted: Texts, held: Texts, counts: Sequence[int]) -> dict[str, Any]:
    """One vocabulary."""
    adapter = adapter_of(tokenizer)
    plain = adapter.ordinary(())
    pieces = plain.pieces()
    result: dict[str, Any] = {"ids": adapter.size, "before": {name: total(plain, texts) for name, texts in held.items()}, "after": {}}
    for corpus, names in CORPORA.items():
        ids = rarest_ids(tokenizer, [text for name in names for text in counted[name]])
        for count in counts:
            tokens = {number: f"<reused_{number}>" for number in ids[:count]}
            reusing = adapter_of(adapter.reusing(tokens)).ordinary(list(tokens.values()))
            row: dict[str, Any] = {name: total(reusing, texts) for name, texts in held.items()}
            row["taken"] = len(tokens)
            row["not_ascii"] = sum(not pieces[number].isascii() for number in tokens)
            result["after"][f"{corpus}, {count}"] = row
    return result


def table(data: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| vocabulary | ids | rarest in | reused | not ASCII | code | prose |", "|---|---:|---|---:|---:|---:|---:|"]
    for vocabulary, result in data["vocabularies"].items():
        for key, row in result["after"].items():
            corpus = key.rpartition(", ")[0]
            more = [f"{100 * (row[name] / result['before'][name] - 1):+.2f} %" for name in ("code", "prose")]
            lines.append(
                f"| {vocabulary} | {result['ids']:,} | {corpus} | {row['taken']:,} | {100 * row['not_ascii'] / row['taken']:.0f} % "
                f"| {' | '.join(more)} |"
            )
    sizes = {name: f"{size / 1e6:.1f} MB of {name}" for name, size in data["held"].items()}
    lines += ["", f"Counted on {data['counted']['code'] / 1e6:.1f} MB of code and {data['counted']['prose'] / 1e6:.1f} MB of prose; "]
    lines[-1] += f"measured on {' and '.join(sizes.values())} of other packages."
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), metavar="FOLDER", help="default: $SIMPY_VOCAB")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--count", type=int, nargs="+", default=COUNTS, metavar="N", help="how many ids are reused")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("learning.md", "reused ids", text, "python benchmarks/reused_ids.py --render", options.check)
    if options.vocab is None:
        parser.error("say with --vocab or $SIMPY_VOCAB where the vocabularies are")
    names = options.only or sorted(path.name for path in Path(options.vocab).iterdir() if path.is_dir())
    counted, held = split()
    sizes = [{name: sum(map(len, texts)) for name, texts in part.items()} for part in (counted, held)]
    data: dict[str, Any] = {"counted": sizes[0], "held": sizes[1], "vocabularies": {}}
    for name in names:
        data["vocabularies"][name] = measure(load_tokenizer(str(Path(options.vocab) / name)), counted, held, options.count)
        print(name, file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(table(data), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
