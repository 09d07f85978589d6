"""The whole path with a model that is not random: trained here, in minutes, on SimPy of the standard library.

    python benchmarks/small_model.py -o benchmarks/results/small_model.json     train for five minutes, measure, print
    python benchmarks/small_model.py --minutes 1                                less
    python benchmarks/small_model.py --render                 put the figures of the last run into docs/dualcode.md
    python benchmarks/small_model.py --render --check         is docs/dualcode.md up to date?

A byte-level BPE tokenizer is trained on functions of the standard library in the dialect, the grammar's tokens left out, and extended with
those; then a small Llama on the same texts. Prompts are the beginnings of functions that were not trained on, in Python, through
`DualCode(TransformersBackend(...)).complete(..., until="block")`, streamed. Counted are the answers that end where a block of SimPy
ends or at the limit without a fault in the SimPy, and the prompts whose function, with the answer, is Python that this interpreter parses.
The same is asked of the model before its training.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import re
import sys
import sysconfig
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import transpiler  # noqa: E402  # the path must be set first
from benchmarks import pages  # noqa: E402  # the path must be set first
from dualcode import DualCode  # noqa: E402  # the path must be set first
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # the path must be set first
from recipes.bases import small_llama  # noqa: E402  # the path must be set first
from recipes.tokenizers import train_tokenizer  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import Dialect  # noqa: E402  # the path must be set first
from simpy_grammar.errors import SimPyError  # noqa: E402  # the path must be set first
from tokenizer_ext import Codec  # noqa: E402  # the path must be set first

RESULTS = ROOT / "benchmarks" / "results" / "small_model.json"
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "site-packages", "encodings"}  # folders of the standard library
VOCABULARY, LENGTH, BATCH = 1536, 128, 8
SHAPE: dict[str, Any] = {"hidden": 128, "layers": 3, "heads": 4, "context": 512}
LIMIT = 72  # tokens of one answer


def functions(megabytes: float) -> list[str]:
    """Functions and methods of the standard library, without their docstrings, each as a program of its own."""
    found: list[str] = []
    size = 0
    for _, programs in files():
        found += programs
        size += sum(map(len, programs))
        if size > megabytes * 1e6:
            break
    random.Random(1).shuffle(found)
    return found


def files() -> Iterator[tuple[Path, list[str]]]:
    """The files of the standard library in an order that is always the same, with the functions of each."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")) + sorted(Path(sysconfig.get_path("stdlib")).glob("[a-z]*/*.py"))
    random.Random(0).shuffle(paths)
    for path in paths:
        if not LEFT_OUT & set(path.parts) and (found := functions_of(path)) is not None:
            yield path, found


def functions_of(path: Path) -> list[str] | None:
    """The functions of a file without decorators and docstrings, neither tiny nor long, each as a program; ``None`` if it is not read."""
    warnings.simplefilter("ignore")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return None
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not node.decorator_list and len(node.body) > 1:
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant):
                node.body = node.body[1:]
            program = ast.unparse(node) + "\n"
            if 80 < len(program) < 1200:
                found.append(program)
    return found


def encoded(programs: list[str], dialect: str) -> list[str]:
    """The programs in the dialect, those that cannot be converted left out."""
    texts = []
    for program in programs:
        try:
            texts.append(transpiler.encode(program, dialect=dialect, verify=False))
        except SimPyError:
            continue
    return texts


def untrained(tokenizer: Any) -> Any:
    """The model as it is made."""
    return small_llama(tokenizer, seed=0, **SHAPE).eval()


def train(model: Any, ids: list[int], seconds: float) -> dict[str, Any]:
    """Train for some time; the loss at the start and, over the last steps, at the end."""
    import torch

    data = torch.tensor(ids)
    places = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.05)
    losses: list[float] = []
    model.train()
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        # It warms up, then goes down to a tenth: by the clock, as the steps that fit in are not known.
        rate = min(1.0, (len(losses) + 1) / 50) * (1 - 0.9 * passed / seconds)
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * rate
        at = torch.randint(len(data) - LENGTH, (BATCH,), generator=places)
        batch = torch.stack([data[i : i + LENGTH] for i in at.tolist()])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        if len(losses) % 50 == 0:
            print(f"{passed:.0f} s, step {len(losses)}: loss {sum(losses[-50:]) / 50:.3f}", file=sys.stderr)
    model.eval()
    last = losses[-50:]
    return {"steps": len(losses), "loss_start": round(losses[0], 3), "loss_end": round(sum(last) / len(last), 3)}


def made(texts: list[str], dialect: str, minutes: float, folder: Path | None = None) -> tuple[Any, Any]:
    """A model that is trained on these texts, and its tokenizer; they are saved where a folder is given."""
    tokenizer = train_tokenizer(texts, dialect, VOCABULARY)
    model = untrained(tokenizer)
    train(model, ids_of(texts, tokenizer, dialect), 60 * minutes)
    for part in (model, tokenizer) if folder is not None else ():
        part.save_pretrained(folder)
    return model, tokenizer


def ids_of(texts: list[str], tokenizer: Any, dialect: str) -> list[int]:
    """The ids of texts of a dialect, each with an end."""
    if Dialect.load(dialect).is_python:
        found = tokenizer(texts, add_special_tokens=False)["input_ids"]
    else:
        found = map(Codec(tokenizer, dialect=dialect).encode, texts)
    return [number for ids in found for number in (*ids, tokenizer.eos_token_id)]


def prompts(programs: list[str], count: int) -> list[str]:
    """The first lines of functions: header and one statement, as a person would have written them."""
    found = []
    for program in programs:
        lines = program.splitlines(keepends=True)
        prompt = "".join(lines[:2])
        if len(lines) > 4 and len(prompt) < 300 and not lines[1].rstrip().endswith((":", "(", "[", "{")):
            found.append(prompt)
        if len(found) == count:
            break
    return found


def asked(model: Any, tokenizer: Any, dialect: str, begun: list[str], temperature: float) -> dict[str, Any]:
    """What the model makes of the prompts."""
    code = DualCode(TransformersBackend(model, tokenizer, dialect=dialect), dialect=dialect)
    converted = parsed = 0
    shown: list[dict[str, str]] = []
    for number, prompt in enumerate(begun):
        stream = code.complete(prompt, until="block", stream=True, max_tokens=LIMIT, temperature=temperature, seed=number, top_p=0.9)
        pieces = list(stream)
        result = stream.finish()
        assert "".join(pieces) == result.text
        converted += not result.notes
        good = _parses(prompt + result.text)
        parsed += good and not result.notes
        shown.append({"prompt": prompt, "simpy": result.raw_text, "python": result.text})
    return {"prompts": len(begun), "converted": converted, "parsed": parsed, "examples": shown}


def _parses(program: str) -> bool:
    try:
        compile(program, "answer", "exec", ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError):
        return False
    return True


def measure(dialect: str, minutes: float, count: int, threads: int) -> dict[str, Any]:
    """All figures."""
    import torch

    torch.set_num_threads(threads)
    programs = functions(1.6)
    held = programs[: len(programs) // 10]
    texts = encoded(programs[len(held) :], dialect)
    tokenizer = train_tokenizer(texts, dialect, VOCABULARY)
    ids = ids_of(texts, tokenizer, dialect)
    model = untrained(tokenizer)
    begun = prompts(held, count)
    before = asked(model, tokenizer, dialect, begun, 0.6)
    training = train(model, ids, 60 * minutes)
    after = asked(model, tokenizer, dialect, begun, 0.6)
    good = [one for one in after["examples"] if _parses(one["prompt"] + one["python"])]
    example = max(good or after["examples"], key=lambda one: min(len(one["python"]), 260))
    for part in (before, after):
        del part["examples"]
    return {
        "dialect": dialect,
        "python": sys.version.split()[0],
        "threads": threads,
        "minutes": minutes,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "vocabulary": len(tokenizer),
        "functions": len(texts),
        "tokens": len(ids),
        "training": training,
        "untrained": before,
        "trained": after,
        "example": example,
    }


def report(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    training, before, after, example = (figures[key] for key in ("training", "untrained", "trained", "example"))
    lines = [
        f"A Llama of {figures['parameters'] / 1e6:.1f} million parameters with a vocabulary of {figures['vocabulary']:,} read "
        f"{figures['functions']:,} functions of the standard library in `{figures['dialect']}` ({figures['tokens']:,} tokens) for "
        f"{figures['minutes']:g} minutes on {figures['threads']} thread{'s' * (figures['threads'] > 1)}: "
        f"{training['steps']:,} steps of {BATCH} x {LENGTH} tokens.",
        "",
        f"| of {after['prompts']} beginnings of functions it had not read | untrained | trained |",
        "|---|--:|--:|",
        f"| training loss | {training['loss_start']:.2f} | {training['loss_end']:.2f} |",
        f"| answers without a fault in the SimPy | {before['converted']} | {after['converted']} |",
        f"| prompt and answer are Python that parses | {before['parsed']} | {after['parsed']} |",
        "",
        "One of its answers, to a prompt of two lines, as the model wrote it and as the person got it:",
        "",
        "```text",
        *_wrapped(example["simpy"]),
        "```",
        "",
        "```text",
        *(example["prompt"] + example["python"]).rstrip().splitlines(),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _wrapped(simpy: str) -> list[str]:
    """Lines of a SimPy text, broken before tokens of the grammar only."""
    lines = [""]
    for piece in re.findall(r"<[^<>]*>|[^<]+|<", simpy):
        if len(lines[-1] + piece) > 120 and piece.startswith("<"):
            lines.append("")
        lines[-1] += piece
    return lines


def render(check: bool) -> int:
    """Put the figures of the last run into the page."""
    text = report(json.loads(RESULTS.read_text(encoding="utf-8")))
    return pages.put("dualcode.md", "small model", text, "python benchmarks/small_model.py --render", check)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialect", default="classic", help="what to train on (default classic)")
    parser.add_argument("--minutes", type=float, default=5.0, metavar="M", help="how long to train (default 5)")
    parser.add_argument("--prompts", type=int, default=50, metavar="N", help="how many prompts (default 50)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor threads (default 1)")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.render:
        return render(args.check)
    figures = measure(args.dialect, args.minutes, args.prompts, args.threads)
    print(report(figures))
    if args.output:
        args.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
