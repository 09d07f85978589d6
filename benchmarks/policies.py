"""What each policy saves and costs, alone and together.

    python benchmarks/policies.py cache refuse -o benchmarks/results/policies.json     measure these, keep the figures of the others
    python benchmarks/policies.py -o benchmarks/results/policies.json                  measure all
    python benchmarks/policies.py --render                put the figures of the last run into docs/policies.md
    python benchmarks/policies.py --render --check        is docs/policies.md up to date?

A part is a module with three functions: ``options(parser)`` declares options, ``measure(args)`` gives the figures as JSON holds them, and
``rendered(figures)`` gives the Markdown that stands in docs/policies.md between the marks of its name.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first

RESULTS = ROOT / "benchmarks" / "results" / "policies.json"
COMMAND = "python benchmarks/policies.py --render"
PARTS: dict[str, str] = {
    "cache": "benchmarks.policy_cache",
    "cascade": "benchmarks.policy_cascade",
    "early-exit": "benchmarks.policy_early_exit",
    "prune": "benchmarks.policy_prune",
    "refuse": "benchmarks.policy_refuse",
    "shrink": "benchmarks.policy_shrink",
    "off": "benchmarks.policy_off",
    "stop": "benchmarks.policy_stop",
    "together": "benchmarks.policy_together",
}


def _less(policies: dict[str, Any], what: str) -> float:
    """What ``prune`` saves of what there is without it, in percent."""
    return 100 * (1 - float(policies["prune"][what]) / float(policies[""][what]))


def overview(data: dict[str, Any]) -> str:
    """Each policy in one row, with its main figure."""
    layouts, pairs = data["cache"]["layouts"], data["cache"]["pairs"]
    ways = [row for name, row in layouts.items() if name != "programs"]
    same, hits = (sum(row[key] for row in ways) for key in ("same", "hits"))
    judged = data["cascade"]["judges"]["parses"]
    both, large = judged["cascade"], judged["large"]
    refused, length = (data["refuse"]["smollm2"]["all"][name]["precision"][0] for name in ("estimate", "length"))
    stopped = data["stop"]["models"]["SmolLM2-135M, `block`"]
    none, draft = (row for _, row in sorted(data["early-exit"]["rows"].items(), key=lambda one: int(one[0]))[:2])
    pruned = data["prune"]["policies"]
    small = data["shrink"]["small"]["rows"]["None"]
    rows = [
        (
            "[`cache`](#cache)",
            "keeps answers by the program of their prompt",
            "questions come again",
            f"{100 * hits / same:.1f} % of {same:,} prompts laid out anew found; "
            f"{pairs['wrong']} wrong answers in {pairs['pairs']:,} pairs",
        ),
        (
            "[`cascade`](#cascade)",
            "asks a small model first",
            "a small model is often right",
            f"{100 * both['share']:.0f} % of programs parse, {100 * large['share']:.0f} % with the large model alone; "
            f"that was asked {100 * both['large']:.0f} % of the questions",
        ),
        (
            "[`refuse`](#refuse)",
            "refuses requests whose answers would not be kept",
            "an editor asks without being asked to",
            f"of a fifth that is refused, {100 * refused:.1f} % would not be kept (by length alone {100 * length:.1f} %)",
        ),
        (
            "[`stop`](#stop)",
            "ends answers where the code ends",
            "a model does not know when to stop",
            f"{100 * (1 - stopped['tokens_stopped'] / stopped['tokens_long']):.0f} % of the tokens saved, none after the end",
        ),
        (
            "[`early-exit`](#early-exit)",
            "lets the first layers draft",
            "the model was trained for it",
            f"{draft['seconds'] / none['seconds']:.1f} times the time with a model that was not",
        ),
        (
            "[`prune`](#prune)",
            "shows views of files that are not edited",
            "conversations are long",
            f"{_less(pruned, 'tokens'):.0f} % of the tokens saved, {_less(pruned, 'cost'):.0f} % where beginnings are cached",
        ),
        ("[`ledger`](#ledger)", "writes down what was asked", "another policy is to learn from it", ""),
        (
            "[small models](#small-models)",
            "models in few bits, and one for `simpy complete`",
            "nothing may leave the machine",
            f"{small['megabytes']:.1f} MB, {small['milliseconds']:.0f} ms for {small['tokens']} tokens",
        ),
    ]
    head = "| policy | what it does | it pays where | measured |\n|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> int:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (default all)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    modules = {name: importlib.import_module(module) for name, module in PARTS.items()}
    for module in modules.values():
        module.options(parser)
    args = parser.parse_args()
    unknown = [name for name in args.parts if name not in PARTS]
    if unknown:
        parser.error(f"{unknown[0]!r} is not a part")
    data = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    if args.render:
        texts = {"overview": overview(data), **{name: modules[name].rendered(data[name]) for name in PARTS}}
        return max(pages.put("policies.md", name, text, COMMAND, args.check) for name, text in texts.items())
    for name in args.parts or PARTS:
        data[name] = modules[name].measure(args)
        print(modules[name].rendered(data[name]), flush=True)
        args.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
