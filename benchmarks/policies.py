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
        parser.error(f"there is no part {unknown[0]!r}")
    data = json.loads(args.output.read_text(encoding="utf-8")) if args.output.exists() else {}
    if args.render:
        return max(
            (pages.put("policies.md", name, modules[name].rendered(data[name]), COMMAND, args.check) for name in PARTS if name in data),
            default=0,
        )
    for name in args.parts or PARTS:
        data[name] = modules[name].measure(args)
        print(modules[name].rendered(data[name]), flush=True)
        args.output.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
