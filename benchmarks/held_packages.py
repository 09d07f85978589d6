"""What two studies of tokens have in common: packages to learn on, others to measure on, and results that go on where they stopped."""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.tokens import read
from tokenizer_ext.learning.corpus import CorpusFile


def collect(args: argparse.Namespace) -> tuple[list[CorpusFile], list[str], dict[str, Any]]:
    """The programs to learn on, the code to measure on, and the results so far, from the options of a study.

    Raises:
        SystemExit: the earlier results are of other programs.
    """
    learn = [CorpusFile(path.name, code) for path in args.learn for _, code in read(path, args.learn_mb * 1e6 / len(args.learn))]
    codes = [code for path in args.packages for _, code in read(path, args.measure_mb * 1e6 / len(args.packages), tests=True)]
    data: dict[str, Any] = {
        "learned_on": [path.name for path in args.learn],
        "measured_on": [path.name for path in args.packages],
        "sizes": [sum(len(program.source) for program in learn) / 1e6, sum(map(len, codes)) / 1e6],
        "arms": {},
    }
    if args.json.exists():
        earlier = json.loads(args.json.read_text(encoding="utf-8"))
        if any(earlier[key] != data[key] for key in data if key != "arms"):
            raise SystemExit(f"{args.json} was measured on something else; name another file")
        data["arms"] = earlier["arms"]
    return learn, codes, data
