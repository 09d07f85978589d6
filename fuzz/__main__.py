"""``python -m fuzz TARGET``: run a target, from the kept corpus and the test cases on.

python -m fuzz decode --runs 1000000     searches with atheris, guided by coverage; what it finds new goes to .fuzz/decode
python -m fuzz all --runs 10000 --fixed  the run of CI, each target in a process of its own: the same inputs everywhere, no atheris
python -m fuzz decode --keep             writes the smallest part of .fuzz/decode that covers as much to fuzz/corpus
python -m fuzz decode --show FILE        what the target says of one input
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".fuzz"
NAMES = ("decode", "decode_stream", "encode", "encode_stream", "native_decode", "native_encode", "request")
_LONGEST_RUN = 20  # seconds for one input
_CODE = ["transpiler", "simpy_grammar", "dualcode"]  # what coverage is measured in


def main() -> int:
    """Read the command line; run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--runs", type=int, default=0, help="stop after so many executions")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so many seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices")
    parser.add_argument("--fixed", action="store_true", help="inputs that depend on the seed only, not on what they reach (10000 runs)")
    parser.add_argument("--max-len", type=int, default=512, help="bytes of an input")
    parser.add_argument("--go-on", action="store_true", help="do not stop at a finding: keep one input of each kind in .fuzz and go on")
    parser.add_argument("--alone", action="store_true", help="native_*: run the core and compare nothing, for builds with sanitizers")
    parser.add_argument("--keep", action="store_true", help="write a minimised corpus to fuzz/corpus")
    parser.add_argument("--show", type=Path, metavar="FILE", help="run one input, without atheris")
    args = parser.parse_args()
    if args.fixed and args.seconds:
        parser.error("--fixed ends after --runs, not after --seconds")
    if args.show is not None:
        from fuzz.properties import TARGETS

        TARGETS[args.target](args.show.read_bytes())
        return 0
    if args.target == "all":
        options = [f"--runs={args.runs}", f"--seconds={args.seconds}", f"--seed={args.seed}", f"--max-len={args.max_len}"]
        options += ["--fixed"] * args.fixed + ["--go-on"] * args.go_on
        commands = ([sys.executable, "-m", "fuzz", name, *options] for name in NAMES)
        return max([subprocess.run(command, cwd=ROOT, check=False).returncode for command in commands])
    if args.keep:
        return _keep(args.target)
    if args.fixed:
        return _run_fixed(args)
    if importlib.util.find_spec("atheris") is None:
        print("python -m fuzz: error: atheris is not installed\nhint: pip install -e '.[fuzz]'", file=sys.stderr)
        return 2
    return _search(args)


def _run_fixed(args: argparse.Namespace) -> int:
    """The inputs of a seed, one after the other."""
    from fuzz import corpus
    from fuzz.mutations import inputs

    found: set[str] = set()
    run = _runner(args, found)
    start = [*corpus.kept(args.target), *corpus.seeds(args.target)]
    drawn = inputs(start, corpus.dictionary(args.target), seed=args.seed, longest=args.max_len)
    runs = len(start) + (args.runs or 10_000)
    for data in islice(drawn, runs):
        faulthandler.dump_traceback_later(_LONGEST_RUN, exit=True)
        run(data)
    faulthandler.cancel_dump_traceback_later()
    print(f"{args.target}: {runs} inputs, {len(start)} of them kept or from the test cases; {len(found)} kinds of findings")
    return 1 if found else 0


def _runner(args: argparse.Namespace, found: set[str]) -> Callable[[bytes], str | None]:
    """The target, which says what it finds, keeps the input of it, and notes its kind in ``found``."""
    from fuzz import properties

    warnings.simplefilter("ignore", SyntaxWarning)  # CPython's, of what the inputs spell oddly
    properties.native_alone = args.alone
    target = properties.TARGETS[args.target]

    def run(data: bytes) -> str | None:
        try:
            return target(data)
        except Exception as error:
            bug = properties.BugError(args.target, data, error)
            if bug.kind not in found:
                WORK.mkdir(exist_ok=True)
                (WORK / f"{args.target}-found-{len(found)}").write_bytes(data)
                print(f"finding {len(found)}: {bug.kind}\n{bug}", flush=True)
            found.add(bug.kind)
            if not args.go_on:
                raise bug from error
            return None

    return run


def _search(args: argparse.Namespace) -> int:
    import atheris

    if not args.target.startswith("native_"):
        os.environ["SIMPY_PURE"] = "1"  # coverage is measured in Python
    with atheris.instrument_imports(include=_CODE):
        from fuzz import properties  # noqa: F401  # what it imports is instrumented
    from fuzz import corpus
    from fuzz.feedback import Feedback

    run, feedback = _runner(args, set()), Feedback(atheris.instrument_func)
    WORK.mkdir(exist_ok=True)

    def run_once(data: bytes) -> None:
        simpy = run(data)
        if simpy is not None:
            feedback(simpy)

    with tempfile.TemporaryDirectory() as folder:
        work = WORK / args.target
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
        options += ["-print_final_stats=1", "-reload=0", f"-timeout={_LONGEST_RUN}", "-rss_limit_mb=2048"]
        atheris.Setup(["fuzz", *options, str(work), str(start)], run_once)
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
