"""``python -m fuzz TARGET``: run a target with atheris, from the kept corpus and the test cases on.

python -m fuzz decode --runs 1000000     searches; what it finds new goes to .fuzz/decode
python -m fuzz all --runs 10000 --fresh  the short run of CI, each target in a process of its own: the same inputs each time
python -m fuzz decode --keep             writes the smallest part of .fuzz/decode that covers as much to fuzz/corpus
python -m fuzz decode --show FILE        what the target says of one input
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".fuzz"
NAMES = ("decode", "decode_stream", "encode", "encode_stream", "request")
_CODE = ["transpiler", "simpy_grammar", "dualcode"]  # what coverage is measured in


def main() -> int:
    """Read the command line; run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--runs", type=int, default=0, help="stop after so many executions")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so many seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices")
    parser.add_argument("--fresh", action="store_true", help="begin with the kept corpus alone: the same seed then gives the same inputs")
    parser.add_argument("--max-len", type=int, default=512, help="bytes of an input")
    parser.add_argument("--go-on", action="store_true", help="do not stop at a finding: keep one input of each kind in .fuzz and go on")
    parser.add_argument("--keep", action="store_true", help="write a minimised corpus to fuzz/corpus")
    parser.add_argument("--show", type=Path, metavar="FILE", help="run one input, without atheris")
    args = parser.parse_args()
    if args.show is not None:
        from fuzz.properties import TARGETS

        TARGETS[args.target](args.show.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("python -m fuzz: error: atheris is not installed\nhint: pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    if args.target == "all":
        if args.fresh:
            _fix_addresses()
        limits = [f"--{name}={getattr(args, name)}" for name in ("runs", "seconds", "seed")] + ["--fresh"] * args.fresh
        environment = {**os.environ, "PYTHONHASHSEED": "0"} if args.fresh else None
        commands = ([sys.executable, "-m", "fuzz", name, *limits] for name in NAMES)
        return max([subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode for command in commands])
    if args.keep:
        return _keep(args.target)
    return _fuzz(args)


def _fix_addresses() -> None:
    """Have the processes that are started from here lay out their memory alike: the order of some sets depends on it.

    Linux only, and only where it is allowed to; else two runs differ a little.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).personality(0x0040000)  # ADDR_NO_RANDOMIZE


def _fuzz(args: argparse.Namespace) -> int:
    import atheris

    with atheris.instrument_imports(include=_CODE):
        from fuzz import properties
    from fuzz import corpus
    from fuzz.feedback import Feedback

    target, feedback = properties.TARGETS[args.target], Feedback(atheris.instrument_func)
    WORK.mkdir(exist_ok=True)

    found: dict[str, int] = {}

    def run(data: bytes) -> None:
        try:
            simpy = target(data)
        except Exception as error:
            bug = properties.BugError(args.target, data, error)
            if not args.go_on:
                raise bug from error
            if bug.kind not in found:
                (WORK / f"{args.target}-found-{len(found)}").write_bytes(data)
                print(f"finding {len(found)}: {bug.kind}\n{bug}", flush=True)
            found[bug.kind] = found.get(bug.kind, 0) + 1
            return
        if simpy is not None:
            feedback(simpy)

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work" if args.fresh else WORK / args.target
        work.mkdir(exist_ok=True)
        start = Path(folder) / "start"
        start.mkdir()
        for number, data in enumerate([*corpus.kept(args.target), *corpus.seeds(args.target)]):
            (start / f"{number:05}").write_bytes(data)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in corpus.dictionary(args.target)), encoding="ascii")
        options = [f"-max_len={args.max_len}", f"-seed={args.seed}", f"-dict={words}", f"-artifact_prefix={WORK}/{args.target}-"]
        options += [f"-runs={args.runs}"] if args.runs else []
        options += [f"-max_total_time={args.seconds}"] if args.seconds else []
        options += ["-print_final_stats=1", "-reload=0", "-timeout=20", "-rss_limit_mb=2048"]
        atheris.Setup(["fuzz", *options, str(work), str(start)], run)
        atheris.Fuzz()  # ends the process
    return 0


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _keep(target: str) -> int:
    """Keep of the inputs that were found and kept, short ones first, those that reach something that none before reached."""
    from fuzz.corpus import keep, kept
    from fuzz.minimise import minimise

    found = [path.read_bytes() for path in (WORK / target).glob("*")] if (WORK / target).is_dir() else []
    always = [path.read_bytes() for path in WORK.glob(f"{target}-found-*")]  # what showed a bug once
    inputs = minimise(target, [*kept(target), *found], always)
    keep(target, inputs)
    print(f"{target}: kept {len(inputs)} inputs of {len(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
