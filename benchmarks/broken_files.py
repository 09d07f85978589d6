"""Broken files of the standard library, many of them: encoded, decoded, streamed in every dialect; what goes wrong is printed.

    python benchmarks/broken_files.py --minutes 10 --seed 1

Ends non-zero if anything but an error of ours was raised, an error lies outside of its text, a stream gives another text
than the whole, or the proof of an encoding failed. Each text can be made again from the seed that is printed with it.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
import traceback
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import transpiler
from simpy_grammar.errors import SimPyError
from tests.broken_texts import LIBRARY, check_python, check_simpy, excerpts, mutated, mutated_bytes
from tests.helpers import ALL

LENGTHS = (3, 10, 30, 100)  # lines of an excerpt


def once(files: list[Path], seed: str, counts: collections.Counter[str]) -> None:
    """Some broken texts of one excerpt."""
    random = Random(seed)
    text = next(excerpts(files, random, random.choice(LENGTHS)))
    for _ in range(3):
        kept = check_python(mutated(text, random))
        counts["Python, encoded in a dialect" if kept else "Python, refused"] += 1
    kept = check_python(mutated_bytes(text.encode(), random), (random.choice(ALL),))
    counts["bytes, encoded" if kept else "bytes, refused"] += 1
    dialect = random.choice(ALL)
    try:
        simpy = transpiler.encode(text, dialect=dialect, verify=False)
    except SimPyError:
        return  # an excerpt that ends inside a statement
    for _ in range(6):
        kept = check_simpy(mutated(simpy, random), dialect, random)
        counts[f"SimPy ({dialect}), decoded" if kept else f"SimPy ({dialect}), refused"] += 1


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--again", metavar="SEED", help="one excerpt, from the seed that was printed with it")
    options = parser.parse_args()
    files = sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)
    counts: collections.Counter[str] = collections.Counter()
    if options.again:
        once(files, options.again, counts)
        return 0
    faults: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + 60 * options.minutes
    number = 0
    while time.monotonic() < end:
        seed = f"{options.seed}-{number}"
        number += 1
        try:
            once(files, seed, counts)
        except Exception as error:  # whatever it is, it is what this looks for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}: {str(error)[:60]!r}"
            if faults[kind] < 3:
                print(f"{kind}\n  again with --again {seed}", flush=True)
            faults[kind] += 1
    for name, count in sorted(counts.items()):
        print(f"{count:8}  {name}")
    print(f"{sum(counts.values()):8}  texts, {sum(faults.values())} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
