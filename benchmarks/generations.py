"""Generations under masks of valid Python: whether all end inside their budget, decode, parse and compile.

    python benchmarks/generations.py --vocab FOLDER --json benchmarks/results/generations.json     measure, print the table
    python benchmarks/generations.py --vocabularies bytes --dialects dense --count 100             less
    python benchmarks/generations.py --render [--check]        put the last figures into docs/generation.md, or look

Ids are drawn uniformly from those that may come, and by a small Llama that is trained here for some minutes (`--model`), at temperature
0.8. Budgets are 20 to 400 ids, small ones as often as large ones. A vocabulary is `bytes`, or one of FOLDER. A generation that ends by
itself before its budget counts as ended. The exit code is 1 if one does not end, decode and parse.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import platform
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tokenizer_ext import extend, load_tokenizer  # noqa: E402  # as above
from tokenizer_ext.codec import Codec  # noqa: E402  # as above
from tokenizer_ext.constrain import Constraint, State  # noqa: E402  # as above
from transpiler import decode  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "generations.json"
SHORTEST, LONGEST, TEMPERATURE = 20, 400, 0.8
Draw = Callable[[list[int], State, int, random.Random], Iterator[int]]
"""The ids so far, their state and what is left of the budget -> ids that may come, in the order in which they are drawn."""


def uniformly(ids: list[int], state: State, left: int, rng: random.Random) -> Iterator[int]:
    """Ids of the mask, each as likely as the others."""
    mask = state.mask(budget=left)
    drawn: set[int] = set()
    for _ in range(64):
        number = rng.randrange(mask.size)
        if number in mask and number not in drawn:
            drawn.add(number)
            yield number
    rest = [number for number in mask if number not in drawn]
    rng.shuffle(rest)
    yield from rest


def by_model(model: Any) -> Draw:
    """Ids of the mask, drawn by a model at temperature 0.8."""
    import torch

    def draw(ids: list[int], state: State, left: int, rng: random.Random) -> Iterator[int]:
        with torch.inference_mode():
            scores = model(torch.tensor([ids[-96:] or [0]])).logits[0, -1] / TEMPERATURE
        allowed = list(state.mask(budget=left))
        weights = torch.softmax(scores[torch.tensor(allowed)], 0).tolist()
        # The largest of these comes first as often as its weight says, and so on (Efraimidis and Spirakis).
        keys = [math.log(rng.random() or 1e-300) / max(weight, 1e-30) for weight in weights]
        yield from (allowed[at] for at in sorted(range(len(allowed)), key=keys.__getitem__, reverse=True))

    return draw


def generate(constraint: Constraint, budget: int, draw: Draw, rng: random.Random) -> tuple[list[int], State, int]:
    """The ids of one program, its state, and how many drawn ids a rule refused, or the budget."""
    state, refused = constraint.start(), 0
    ids: list[int] = []
    for left in range(budget, 0, -1):
        following = None
        for number in draw(ids, state, left, rng):
            following = state.within(number, left)
            if following is not None:
                break
            refused += 1
        if following is None or following.ended:
            break
        ids.append(number)
        state = following
    return ids, state, refused


def judged(program: str) -> tuple[bool, bool, str]:
    """Whether Python parses and compiles a program, and its message."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError) as error:
        return False, False, str(error)
    try:
        compile(tree, "<generated>", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        return True, False, str(error)
    return True, True, ""


def measure(tokenizer: Any, dialect: str, count: int, draw: Draw, seconds: float) -> dict[str, Any]:
    """Write programs, until there are enough or the time is over."""
    codec = None if dialect in ("python", "compact") else Codec(tokenizer, dialect=dialect)
    constraint = Constraint(tokenizer, dialect=dialect, valid_python=True, version=sys.version_info[:2])
    row: dict[str, Any] = dict.fromkeys(("programs", "ids", "refused", "ended", "decoded", "parsed", "compiled"), 0)
    faults: list[str] = []
    start, clock = time.process_time(), time.monotonic()
    for seed in range(count):
        if time.monotonic() - clock > seconds:
            break
        rng = random.Random(seed)
        budget = round(math.exp(rng.uniform(math.log(SHORTEST), math.log(LONGEST))))
        ids, state, refused = generate(constraint, budget, draw, rng)
        row["programs"] += 1
        row["ids"] += len(ids)
        row["refused"] += refused
        row["ended"] += state.may_end() and len(ids) <= budget
        try:
            text = codec.decode(ids) if codec is not None else b"".join(constraint.vocabulary.pieces[number] for number in ids).decode()
            program = decode(text, dialect=dialect) if codec is not None else text
        except (SimPyError, UnicodeDecodeError) as error:
            faults.append(f"{seed}: {error}")
            continue
        row["decoded"] += 1
        parsed, compiled, message = judged(program)
        row["parsed"] += parsed
        row["compiled"] += compiled
        if message:
            faults.append(f"{seed}: {message}")
    row["milliseconds"] = round(1000 * (time.process_time() - start) / max(1, row["ids"]), 2)
    row["faults"] = faults[:20]
    return row


def opened(vocabulary: str, dialect: str) -> Any:
    """A tokenizer, extended unless the dialect is Python."""
    if vocabulary == "bytes":
        import tiktoken

        ranks = {bytes([i]): i for i in range(256)}
        plain: Any = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 256})
    else:
        plain = load_tokenizer(vocabulary)
    return plain if dialect in ("python", "compact") else extend(plain, dialect=dialect)


def trained(dialect: str, minutes: float) -> tuple[Any, Any]:
    """A small tokenizer and a small model that has read functions of the standard library."""
    import torch

    from benchmarks import small_model

    torch.set_num_threads(1)
    texts = small_model.encoded(small_model.functions(1.0), dialect)
    model, tokenizer = small_model.made(texts, dialect, minutes)
    return tokenizer, model


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| vocabulary | dialect | drawn | programs | ids | end | decode | `ast.parse` | `compile` | refused per id | ms per id |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, row in results["rows"].items():
        vocabulary, dialect, drawn = name.split(" ", 2)
        shares = [f"{100 * row[part] / row['programs']:.2f} %" for part in ("ended", "decoded", "parsed", "compiled")]
        cells = [vocabulary, dialect, drawn, f"{row['programs']:,}", f"{row['ids']:,}", *shares]
        lines.append(f"| {' | '.join(cells)} | {row['refused'] / max(1, row['ids']):.2f} | {row['milliseconds']:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, default=os.environ.get("SIMPY_VOCAB"), help="default: $SIMPY_VOCAB")
    parser.add_argument("--vocabularies", nargs="*", default=["bytes", "starcoder"], metavar="NAME")
    parser.add_argument("--dialects", nargs="+", default=["classic", "dense", "python"], metavar="NAME")
    parser.add_argument("--count", type=int, default=250, help="generations of each row (default 250)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="of one row at most")
    parser.add_argument("--model", type=float, default=0.0, metavar="MINUTES", help="also draw by a small model that is trained so long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/generation.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what generated programs warn of
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("generation.md", "generations", table(results), "python benchmarks/generations.py --render", options.check)
    if options.vocab is not None:
        os.environ["SIMPY_VOCAB"] = str(options.vocab)
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version()}
    rows: dict[str, Any] = results.setdefault("rows", {})

    def keep(name: str, row: dict[str, Any]) -> None:
        rows[name] = row
        print(name, row, file=sys.stderr)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    for dialect in options.dialects:
        for vocabulary in options.vocabularies:
            tokenizer = opened(vocabulary, dialect)
            keep(f"{vocabulary} {dialect} uniformly", measure(tokenizer, dialect, options.count, uniformly, options.seconds))
        if options.model:
            tokenizer, model = trained(dialect, options.model)
            keep(f"its-own {dialect} by a small model", measure(tokenizer, dialect, options.count, by_model(model), options.seconds))
    print(table(results), end="")
    return int(any(row["programs"] != row[part] for row in rows.values() for part in ("ended", "decoded", "parsed")))


if __name__ == "__main__":
    sys.exit(main())
