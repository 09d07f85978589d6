"""Masks against brute force: each id is tried, and the reader of SimPy is asked whether some program goes on so.

    python benchmarks/exactness.py --vocab FOLDER                         30,000 decisions per dialect, print the table
    python benchmarks/exactness.py --decisions 3000 --dialects dense      fewer

Small vocabularies, one with learned tokens, and real ones of FOLDER. Places are drawn from programs of the standard library and from random
texts that the mask allows. Of large vocabularies some ids that may come and some that may not are tried, the rare kinds as often as the
others. Differences are printed; the exit code is 1 if there are any that the documented rules do not explain (docs/masks.md).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.small_model import encoded, functions  # noqa: E402  # the path must be set first
from tests.completions import differences  # noqa: E402  # as above
from tests.small_tokenizers import SMALL  # noqa: E402  # as above
from tokenizer_ext import extend, load_tokenizer  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.constrain import Constraint, State  # noqa: E402  # as above
from tokenizer_ext.learned_tokens import LearnedTokens  # noqa: E402  # as above

LEARNED = ("self.", "a)<line_sep>", "<return>self", "x=")
TRIED = 60  # ids of a place


def opened(vocabulary: str, dialect: str) -> tuple[Codec, Constraint]:
    """The codec and the constraint of a vocabulary: `learned`, one of the tests, or a real one."""
    if vocabulary == "learned":
        texts = tuple(text for text in LEARNED if dialect == "classic" or "<line_sep>" not in text)
        tokenizer: Any = extend(SMALL["tiktoken_small"](), learned=LearnedTokens(texts, "some", dialect), dialect=dialect)
    else:
        tokenizer = extend(SMALL[vocabulary]() if vocabulary in SMALL else load_tokenizer(vocabulary), dialect=dialect)
    return Codec(tokenizer, dialect=dialect), Constraint(tokenizer, dialect=dialect, ends=())


def places(codec: Codec, constraint: Constraint, texts: list[str], rng: random.Random) -> Iterator[tuple[list[int], State]]:
    """Ids and their states: the beginning of a program, sometimes with some random ids after it."""
    while True:
        ids = codec.encode(rng.choice(texts))
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


def tried(constraint: Constraint, state: State, rng: random.Random) -> list[int]:
    """Some ids: of those that may come and those that may not, of which there may be few, as many; and tokens of the grammar."""
    mask = state.mask()
    spelled = constraint.vocabulary.spellings
    if len(spelled) <= TRIED:
        return list(spelled)
    allowed = [number for number in mask if number in spelled]
    others = [number for number in spelled if number not in mask]
    own = [*constraint.vocabulary.own]
    parts = (allowed, others, own)
    return sorted({number for part in parts for number in rng.sample(part, min(TRIED // 3, len(part)))})


def main() -> int:
    """Try ids, print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--vocabularies", nargs="+", metavar="NAME")
    parser.add_argument("--dialects", nargs="+", default=["classic", "dense", "dense-newline"], metavar="NAME")
    parser.add_argument("--decisions", type=int, default=30_000, help="of each dialect (default 30,000)")
    options = parser.parse_args()
    if options.vocab is not None:
        os.environ["SIMPY_VOCAB"] = str(options.vocab)
    names = options.vocabularies or [
        "tiktoken_small",
        "byte_bpe",
        "sentencepiece_dummy",
        "learned",
        *(["starcoder"] if options.vocab else []),
    ]
    wrong = 0
    print("| dialect | vocabulary | places | decisions | differences |\n| --- | --- | ---: | ---: | ---: |")
    for dialect in options.dialects:
        texts = encoded(functions(0.2), dialect)
        for name in names:
            codec, constraint = opened(name, dialect)
            rng = random.Random(f"{dialect} {name}")
            count = asked = 0
            found: list[str] = []
            for ids, state in places(codec, constraint, texts, rng):
                more, differing = differences(codec, constraint, ids, state, tried(constraint, state, rng))
                count, asked, found = count + more, asked + 1, found + differing
                if count * len(names) >= options.decisions:
                    break
            print(f"| {dialect} | {name} | {asked:,} | {count:,} | {len(found)} |", flush=True)
            for line in found[:10]:
                print(f"    {line}", file=sys.stderr)
            wrong += len(found)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
