"""Ids of the whole standard library, there and back, and how fast they are counted, for each vocabulary.

    python benchmarks/ids.py --vocab FOLDER                                   every vocabulary in FOLDER, print the table
    python benchmarks/ids.py --vocab FOLDER --json benchmarks/results/ids.json     and keep the figures
    python benchmarks/ids.py --render [--check]                                put the last figures into docs/learning.md, or look
    python benchmarks/ids.py --vocab FOLDER --only gpt2 --limit 200            one vocabulary, every so-manieth file

FOLDER holds one folder a vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`. Every file of the standard library of the
running Python, tests included, is encoded in `classic` and in the dialect that `--dialect auto` takes. For each must hold
*text -> ids -> text* and *ids -> text -> ids*; what does not is named, and the exit code is 1. A FILE of `--json` that was measured
on the same Python keeps its other vocabularies. Speed is the
processor time of the tokenizer alone over that of `Codec.count`, both on the same SimPy texts, one thread, file by file in turn, with
a codec that remembers nothing yet; what is shown is the median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.errors import PythonSyntaxError  # noqa: E402  # after the environment is set
from tokenizer_ext import Codec, extend, fitted_dialect, load_tokenizer  # noqa: E402  # after the environment is set
from transpiler import encode  # noqa: E402  # after the environment is set

RESULTS = Path(__file__).resolve().parent / "results" / "ids.json"
TARGET = 0.8
SPEED_TEXTS = 150  # files that the speed is measured on
ROUNDS = 5
Texts = dict[str, str]  # path below the library -> SimPy


def library() -> list[Path]:
    """Every Python file of the standard library, its tests included."""
    root = Path(sysconfig.get_path("stdlib"))
    return [path for path in sorted(root.rglob("*.py")) if "site-packages" not in path.relative_to(root).parts]


class Library:
    """The standard library, encoded once for each dialect.

    Attributes:
        skipped: the files that are not Python for this converter (tests of syntax errors), with the reason.
    """

    def __init__(self, limit: int | None) -> None:
        files = library()
        self.files = files if limit is None else files[:: max(1, len(files) // limit)]
        self.skipped: dict[str, str] = {}
        self._texts: dict[str, Texts] = {}

    def texts(self, dialect: str) -> Texts:
        """All files in a dialect."""
        if dialect not in self._texts:
            self._texts[dialect] = dict(self._encoded(dialect))
        return self._texts[dialect]

    def _encoded(self, dialect: str) -> Iterator[tuple[str, str]]:
        root = Path(sysconfig.get_path("stdlib"))
        for path in self.files:
            name = path.relative_to(root).as_posix()
            try:
                yield name, encode(path.read_bytes(), dialect=dialect, verify=False, path=name)
            except PythonSyntaxError as error:
                self.skipped[name] = error.message


def failures(codec: Codec, texts: Texts) -> dict[str, str]:
    """The files whose text or ids do not come back, and what went wrong."""
    found: dict[str, str] = {}
    for name, text in texts.items():
        try:
            ids = codec.encode(text)
            back = codec.decode(ids)
            if back != text:
                at = next((i for i, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), min(len(text), len(back)))
                found[name] = f"text: {text[at : at + 20]!r} came back as {back[at : at + 20]!r} at {at}"
            elif codec.encode(back) != ids:
                found[name] = "ids: others for the same text"
        except Exception as error:  # whatever it is, it is a failure of this file and the others go on
            found[name] = f"{type(error).__name__}: {error}"
    return found


def speed(tokenizer: Any, make: Any, texts: list[str]) -> tuple[float, float, float]:
    """Time of the tokenizer over that of the codec, and both in megabytes a second: medians of the rounds."""
    alone = getattr(tokenizer, "encode_batch_fast", None) or tokenizer.encode_batch
    ratios, tokenizer_speeds, codec_speeds = [], [], []
    size = sum(map(len, texts)) / 1e6
    for _ in range(ROUNDS):
        codec = make()
        plain = counted = 0.0
        for i, text in enumerate(texts):
            for which in (0, 1) if i % 2 else (1, 0):
                start = time.process_time()
                if which:
                    codec.count(text)
                    counted += time.process_time() - start
                else:
                    alone([text], add_special_tokens=False)
                    plain += time.process_time() - start
        ratios.append(plain / counted)
        tokenizer_speeds.append(size / plain)
        codec_speeds.append(size / counted)
    return statistics.median(ratios), statistics.median(tokenizer_speeds), statistics.median(codec_speeds)


def measure(folder: Path, stdlib: Library) -> dict[str, Any]:
    """One vocabulary, in `classic` and in its own dialect."""
    tokenizer = load_tokenizer(str(folder))
    result: dict[str, Any] = {}
    for dialect in ("classic", fitted_dialect(tokenizer).name):
        first = Codec(extend(tokenizer, dialect=dialect), dialect=dialect)

        def fresh(first: Codec = first) -> Codec:
            return Codec.for_counting(first.dialect, list(first.own), first._exact.ordinary)

        texts = stdlib.texts(dialect)
        found = failures(first, texts)
        some = list(texts.values())[:: max(1, len(texts) // SPEED_TEXTS)]
        ratio, alone, counting = speed(tokenizer, fresh, some)
        result[dialect] = {
            "files": len(texts),
            "characters": sum(map(len, texts.values())),
            "failures": found,
            "speed": {"ratio": round(ratio, 3), "tokenizer_mb_s": round(alone, 2), "count_mb_s": round(counting, 2)},
        }
    return result


def table(data: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| vocabulary | dialect | files | MB | failures | count / tokenizer | count MB/s |", "|---|---|---:|---:|---:|---:|---:|"]
    for name, dialects in data["vocabularies"].items():
        for dialect, row in dialects.items():
            speeds = row["speed"]
            lines.append(
                f"| {name} | {dialect} | {row['files']:,} | {row['characters'] / 1e6:.1f} | {len(row['failures'])} "
                f"| {speeds['ratio']:.2f}x | {speeds['count_mb_s']:.1f} |"
            )
    lines += ["", f"Target: no failures, at least {TARGET}x. {len(data['skipped'])} files are not Python for this converter."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure and report; 1 if something did not come back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), metavar="FOLDER", help="default: $SIMPY_VOCAB")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--limit", type=int, metavar="N", help="take about N files, evenly; all without this option")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("learning.md", "ids", text, "python benchmarks/ids.py --render", options.check)
    if options.vocab is None:
        parser.error("say with --vocab or $SIMPY_VOCAB where the vocabularies are")
    warnings.simplefilter("ignore")  # escapes in the tests of the library
    names = options.only or sorted(path.name for path in options.vocab.iterdir() if path.is_dir())
    stdlib = Library(options.limit)
    data: dict[str, Any] = {"python": platform.python_version(), "files": len(stdlib.files), "target": TARGET, "vocabularies": {}}
    failed = 0
    if options.json and options.json.exists():
        earlier = json.loads(options.json.read_text(encoding="utf-8"))
        if all(earlier.get(key) == data[key] for key in ("python", "files")):
            data["vocabularies"], data["skipped"] = earlier["vocabularies"], earlier["skipped"]
    for name in names:
        data["vocabularies"][name] = result = measure(options.vocab / name, stdlib)
        data["skipped"] = stdlib.skipped
        for dialect, row in result.items():
            failed += len(row["failures"])
            for file, what in row["failures"].items():
                print(f"{name}: {dialect}: {file}: {what}", file=sys.stderr)
            print(f"{name}: {dialect}: {row['speed']['ratio']}x, {len(row['failures'])} failures", file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    print(table(data), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
