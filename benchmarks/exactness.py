"""Masks against brute force: each id is tried, and a reader is asked whether some program goes on so.

    python benchmarks/exactness.py --vocab FOLDER --json benchmarks/results/exactness.json     30,000 decisions per dialect
    python benchmarks/exactness.py --decisions 3000 --dialects dense                           fewer, only printed
    python benchmarks/exactness.py --render [--check]         put the last figures into docs/masks.md, or look

Small vocabularies, one with learned tokens, and real ones of FOLDER. Places are drawn from programs of the standard library and from random
texts that the mask allows. Of large vocabularies some ids that may come and some that may not are tried, the tokens of the grammar, and ids
of all shapes, the rare ones as often as the others. For SimPy its own reader is asked (`tests/completions.py`), for Python that of the
project and CPython (`tests/python_completions.py`). Differences are printed; the exit code is 1 if there are any that the documented rules
do not explain (docs/masks.md). With `--json`, rows that are there with enough decisions are not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.small_model import encoded, functions  # noqa: E402  # as above
from simpy_grammar.dialect import PYTHON, Dialect  # noqa: E402  # as above
from tests.completions import differences  # noqa: E402  # as above
from tests.engine_programs import functions as written  # noqa: E402  # as above
from tests.python_completions import python_differences  # noqa: E402  # as above
from tests.small_tokenizers import SMALL  # noqa: E402  # as above
from tokenizer_ext import extend, load_tokenizer  # noqa: E402  # as above
from tokenizer_ext.adapters import adapter_of  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.constrain import Constraint, State  # noqa: E402  # as above
from tokenizer_ext.learned_tokens import LearnedTokens  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "exactness.json"
DIALECTS = ("classic", "dense", "dense-newline", "dense-aliases-64", "python")
SMALL_NAMES = ("tiktoken_small", "byte_bpe", "sentencepiece_dummy")
REAL_NAMES = ("starcoder", "codellama", "cl100k_base")
LEARNED = ("self.", "a)<line_sep>", "<return>self", "x=")
WITH_ALIASES = (".<n0>(", "<n1>.<n0>=", "<n0> <n1>", "_name<n0>=", "_name<n1>=<n0>.", "x<n0>=<n0>.x<n1>", "=<n2>")
TRIED = 60  # ids of a place


@dataclass(frozen=True)
class Tried:
    """A vocabulary whose masks are tried.

    Attributes:
        constraint: its masks.
        spell: program -> ids.
        differences: ids, their state and ids to try -> how many were tried, and what differs.
        shapes: ids whose texts look alike, for each shape.
    """

    constraint: Constraint
    spell: Callable[[str], list[int]]
    differences: Callable[[list[int], State, list[int]], tuple[int, list[str]]]
    shapes: list[list[int]]


def opened(vocabulary: str, dialect: str) -> Tried:
    """The masks of a vocabulary: `learned`, one of the tests, or a real one."""
    plain: Any = SMALL[vocabulary]() if vocabulary in SMALL else None if vocabulary == "learned" else load_tokenizer(vocabulary)
    if dialect == PYTHON:
        constraint = Constraint(plain, dialect=dialect, ends=())
        ordinary = adapter_of(plain).ordinary([])
        return Tried(constraint, lambda text: ordinary.encode([text])[0], partial(python_differences, constraint), shapes(constraint))
    if vocabulary == "learned":
        texts = tuple(text for text in LEARNED if dialect == "classic" or "<line_sep>" not in text)
        texts += WITH_ALIASES if Dialect.load(dialect).aliases else ()
        tokenizer: Any = extend(SMALL["tiktoken_small"](), learned=LearnedTokens(texts, "some", dialect), dialect=dialect)
    else:
        tokenizer = extend(plain, dialect=dialect)
    constraint, codec = Constraint(tokenizer, dialect=dialect, ends=()), Codec(tokenizer, dialect=dialect)
    return Tried(constraint, codec.encode, partial(differences, codec, constraint), shapes(constraint))


def shapes(constraint: Constraint) -> list[list[int]]:
    """The ids by shape: how their texts look if all letters are one, all digits, and all that is beyond ASCII."""
    found: dict[str, list[int]] = {}
    for number, piece in constraint.vocabulary.pieces.items():
        shape = re.sub("[^\x00-\x7f]+", "é", re.sub("[0-9]+", "0", re.sub("[A-Za-z_]+", "a", piece.decode("latin-1"))))
        found.setdefault(shape, []).append(number)
    return list(found.values())


def programs(dialect: str) -> list[str]:
    """Functions of the standard library in a dialect; those of Python as people have written them, too."""
    texts = encoded(functions(0.2), dialect)
    return [*texts, *written(len(texts))] if dialect == PYTHON else texts


def places(chosen: Tried, texts: list[str], rng: random.Random) -> Iterator[tuple[list[int], State]]:
    """Ids and their states: the beginning of a program, sometimes with some random ids after it."""
    constraint = chosen.constraint
    while True:
        ids = chosen.spell(rng.choice(texts))
        ids = ids[: rng.randrange(min(len(ids), 80))]
        state = constraint.start()
        for number in ids:
            state = state.advance(number)
        for _ in range(rng.choice((0, 0, 1, 3))):
            mask = state.mask()
            drawn = [number for number in (rng.randrange(mask.size) for _ in range(200)) if number in mask]
            own = [number for number in constraint.vocabulary.own if number in mask]
            number = rng.choice(own if own and (rng.random() < 0.4 or not drawn) else drawn or list(mask))
            ids.append(number)
            state = state.advance(number)
        if not state.in_character:
            yield ids, state


def tried(chosen: Tried, state: State, rng: random.Random) -> list[int]:
    """Some ids: as many of those that may come as of those that may not, tokens of the grammar, and one of each of some shapes."""
    mask = state.mask()
    spelled = chosen.constraint.vocabulary.spellings.symbols
    if len(spelled) <= TRIED:
        return list(spelled)
    allowed = [number for number in mask if number in spelled]
    others = [number for number in spelled if number not in mask]
    shaped = [rng.choice(alike) for alike in rng.sample(chosen.shapes, min(TRIED // 4, len(chosen.shapes)))]
    parts = (allowed, others, [*chosen.constraint.vocabulary.own], shaped)
    return sorted({number for part in parts for number in rng.sample(part, min(TRIED // 4, len(part)))})


def measure(dialect: str, vocabulary: str, texts: list[str], decisions: int) -> dict[str, Any]:
    """Try ids until there are so many decisions."""
    chosen = opened(vocabulary, dialect)
    rng = random.Random(f"{dialect} {vocabulary}")
    count = asked = 0
    found: list[str] = []
    for ids, state in places(chosen, texts, rng):
        more, differing = chosen.differences(ids, state, tried(chosen, state, rng))
        count, asked, found = count + more, asked + 1, found + differing
        for line in differing[:10]:
            print(f"{dialect} {vocabulary}: {line}", file=sys.stderr, flush=True)
        if count >= decisions:
            break
    return {"places": asked, "decisions": count, "differences": len(found), "found": found[:20]}


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = ["| dialect | vocabulary | places | decisions | differences |", "| --- | --- | ---: | ---: | ---: |"]
    for dialect in DIALECTS:
        rows = {name.split(" ")[1]: row for name, row in results["rows"].items() if name.split(" ")[0] == dialect}
        for name, row in rows.items():
            lines.append(f"| {dialect} | {name} | {row['places']:,} | {row['decisions']:,} | {row['differences']} |")
        if rows:
            places, decisions, differing = (sum(row[part] for row in rows.values()) for part in ("places", "decisions", "differences"))
            lines.append(f"| **{dialect}** | all | {places:,} | {decisions:,} | {differing} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Try ids, print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--vocabularies", nargs="+", metavar="NAME")
    parser.add_argument("--dialects", nargs="+", default=list(DIALECTS), metavar="NAME")
    parser.add_argument("--decisions", type=int, default=30_000, help="of each dialect, over all vocabularies (default 30,000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; rows that are there are not measured again")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/masks.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    if options.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("masks.md", "exactness", text, "python benchmarks/exactness.py --render", options.check)
    if options.vocab is not None:
        os.environ["SIMPY_VOCAB"] = str(options.vocab)
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version()}
    rows: dict[str, Any] = results.setdefault("rows", {})
    for dialect in options.dialects:
        names = options.vocabularies or [
            *SMALL_NAMES,
            *(["learned"] if dialect != PYTHON else []),
            *(REAL_NAMES if options.vocab else ()),
        ]
        texts = programs(dialect)
        for name in names:
            if rows.get(f"{dialect} {name}", {"decisions": 0})["decisions"] * len(names) >= options.decisions:
                continue
            rows[f"{dialect} {name}"] = measure(dialect, name, texts, -(-options.decisions // len(names)))
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results), end="")
    return int(any(row["differences"] for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
