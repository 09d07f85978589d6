"""Completions of held-out code by two models, kept in a file: what the figures of several policies are made of.

    python benchmarks/policy_completions.py --folder small -o completions.json             train the small model there, then ask both
    python benchmarks/policy_completions.py --folder small -o completions.json --small 200 --smollm2 20        less
    python benchmarks/policy_completions.py --folder small -o completions.json --train-only                    only train

The small model is the one of ``small_model.py``, trained for some minutes on functions of the standard library in Python, so that both
models read and write the same. Prompts are functions of files of the standard library that it has not read, cut off at the start of a
line or after a token within one, where not much is left of the block. ``truth`` is the rest of that block. SmolLM2 may have read the
standard library; which model has read what is not equal, and does not have to be: policies are compared with the same model alone.

The file holds ``{"prompts": [{"id", "file", "prefix", "truth", "place", "answers": {MODEL: {...}}}]}``; an answer has ``text`` (Python),
``logprob`` (mean, in nats), ``stopped``, ``tokens``, ``seconds`` (of processor time), ``waited`` (by the clock), ``notes``, and ``same``
(the program has the tree of the true one) and ``parses``. It is written after every few answers, and what is in it is not asked again.
"""

from __future__ import annotations

import argparse
import ast
import io
import itertools
import json
import os
import random
import sys
import sysconfig
import time
import tokenize
import warnings
from collections.abc import AsyncGenerator, Generator, Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.small_model import files, functions, made  # noqa: E402  # the path must be set first
from benchmarks.smollm2 import opened  # noqa: E402  # as above
from dualcode import DualCode  # noqa: E402  # as above
from dualcode.backends.protocol import Request  # noqa: E402  # as above
from dualcode.backends.transformers_backend import TransformersBackend, open_backend  # noqa: E402  # as above
from dualcode.policies.protocol import Answer, Policy, Question  # noqa: E402  # as above

DIALECT = "python"
MEGABYTES = 1.6  # of functions that the small model is trained on
LEAST, MOST = 4, 160  # characters of a truth
LONGEST = 900  # characters of a prompt
LIMIT = 48  # tokens of one answer
MODELS = ("small", "smollm2")
EVERY = 10  # answers after which the file is written


def trained(folder: Path, minutes: float) -> None:
    """Train the small model and keep it in a folder, unless one is there."""
    if (folder / "config.json").exists():
        return
    made(functions(MEGABYTES), DIALECT, minutes, folder)


class Saying:
    """A model that says one text."""

    tasks = frozenset(("complete",))

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, request: Request) -> Generator[str, None, None]:
        """The text."""
        yield self.text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        yield self.text

    def count(self, text: str) -> int:
        """Its letters."""
        return len(text)


class Keeping(Policy):
    """Keeps the last answer of a model."""

    name = "keeping"
    logprobs = True

    def __init__(self) -> None:
        self.answer = Answer("")

    def after(self, question: Question, answer: Answer) -> None:
        """Keep it."""
        self.answer = answer


def places(program: str) -> list[int]:
    """Where the body of a function may be cut off: after the indent of a line, and after a token that does not end a line."""
    starts = [0]
    for line in program.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    body = 0
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if token.type in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            body = body or (begin if token.type == tokenize.INDENT else 0)
            continue
        if body and not program[starts[token.start[0] - 1] : begin].strip():
            found.append(begin)
        if body and not program.startswith("\n", end):
            found.append(end)
    return found


def truth(program: str, at: int) -> str:
    """The rest of the block in which a place stands; empty if it does not end as a program that parses."""
    prefix, rest = program[:at], program[at:]
    text = DualCode(Saying(rest)).complete(prefix, until="block").text
    return text if rest.startswith(text.rstrip()) and tree(prefix + text) is not None else ""


def tree(program: str) -> str | None:
    """The tree of a program as a text; ``None`` if it does not parse."""
    try:
        return ast.dump(ast.parse(program))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def prompts() -> Iterator[dict[str, Any]]:
    """Prompts of held-out functions, in an order that is always the same, one for each function."""
    size, seen, held = 0, set[str](), list[tuple[Path, str]]()
    for path, programs in files():
        if size <= MEGABYTES * 1e6:  # the model has read it
            size += sum(map(len, programs))
        else:
            held += [(path, program) for program in dict.fromkeys(programs) if program not in seen]
        seen.update(programs)
    chance = random.Random(17)
    chance.shuffle(held)
    folder = Path(sysconfig.get_path("stdlib"))
    for path, program in held:
        cuts = [at for at in places(program) if at < LONGEST]
        chance.shuffle(cuts)
        for at in cuts[:8]:
            left = truth(program, at)
            if LEAST <= len(left.strip()) <= MOST:
                line = program[:at].rpartition("\n")[2]
                yield {
                    "file": path.relative_to(folder).as_posix(),
                    "prefix": program[:at],
                    "truth": left,
                    "place": "within a line" if line.strip() else "start of a line",
                    "answers": {},
                }
                break


def asked(code: DualCode, kept: Keeping, prompt: dict[str, Any]) -> dict[str, Any]:
    """The answer of one model to one prompt."""
    start = time.process_time()
    result = code.complete(prompt["prefix"], until="block", max_tokens=LIMIT)
    seconds = time.process_time() - start
    program, true = tree(prompt["prefix"] + result.text), tree(prompt["prefix"] + prompt["truth"])
    return {
        "text": result.text,
        "logprob": None if kept.answer.logprob is None else round(kept.answer.logprob, 4),
        "stopped": result.usage.stopped,
        "tokens": kept.answer.tokens,
        "seconds": round(seconds, 3),
        "waited": round(result.usage.model_seconds, 3),
        "notes": len(result.notes),
        "same": program is not None and program == true,
        "parses": program is not None,
    }


def answer(data: dict[str, Any], name: str, backend: TransformersBackend, count: int, output: Path) -> None:
    """Ask one model all that it has not been asked."""
    kept = Keeping()
    code = DualCode(backend, policies=[kept])
    left = [prompt for prompt in data["prompts"][:count] if name not in prompt["answers"]]
    for number, prompt in enumerate(left, 1):
        prompt["answers"][name] = asked(code, kept, prompt)
        if number % EVERY == 0 or number == len(left):
            write(data, output)
            print(f"{name}: {number} of {len(left)}", file=sys.stderr, flush=True)


def write(data: dict[str, Any], output: Path) -> None:
    """Write the file, whole or not at all."""
    beside = output.with_name(output.name + ".new")
    beside.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    beside.replace(output)


def begun(output: Path, count: int) -> dict[str, Any]:
    """What is in the file, with as many prompts as are wanted."""
    data: dict[str, Any] = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {"limit": LIMIT, "prompts": []}
    if len(data["prompts"]) < count:
        known = len(data["prompts"])
        for number, prompt in enumerate(itertools.islice(prompts(), count)):
            if number >= known:
                data["prompts"].append({"id": number, **prompt})
    return data


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the small model is, or is put once trained")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PATH", help="the file")
    parser.add_argument("--minutes", type=float, default=6.0, metavar="M", help="how long to train the small model (default 6)")
    parser.add_argument("--small", type=int, default=1000, metavar="N", help="how many prompts for the small model (default 1000)")
    parser.add_argument("--smollm2", type=int, default=150, metavar="N", help="how many of them for SmolLM2 (default 150)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor threads (default 1)")
    parser.add_argument("--train-only", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(args.threads)
    if args.small or args.train_only:
        trained(args.folder, args.minutes)
    if args.train_only:
        return 0
    data = begun(args.output, max(args.small, args.smollm2))
    write(data, args.output)
    if args.small:
        answer(data, "small", open_backend(str(args.folder)), args.small, args.output)
    if args.smollm2:
        answer(data, "smollm2", TransformersBackend(*opened(None)), args.smollm2, args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
