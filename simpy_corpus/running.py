"""A run: units of the input become parts, all parts are judged together, and each part becomes a shard.

Every part and every shard is a file that is there whole or not at all. So a run that was killed goes on with what is missing, and
its output is that of a run that was left alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from simpy_corpus import manifest
from simpy_corpus.engines import Mapper, open_engine
from simpy_corpus.evaluations import Evaluations
from simpy_corpus.options import Options
from simpy_corpus.reasons import NEAR_DUPLICATE
from simpy_corpus.report import Report
from simpy_grammar.errors import SimPyError
from simpy_grammar.whole_files import write

if TYPE_CHECKING:
    from simpy_corpus.deciding import Decision
    from simpy_corpus.inputs import Input
    from simpy_corpus.shards import Shard
    from simpy_corpus.units import Unit

Progress = Callable[[str], None]


def build(
    inputs: Sequence[Input],
    output: str | os.PathLike[str],
    options: Options | None = None,
    *,
    engine: str = "processes",
    workers: int = 1,
    restart: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Convert a corpus into a folder of shards, and return its report, which is in ``_report.json`` too.

    Called again after it was interrupted, in any way and at any moment, it goes on where it was.

    Args:
        inputs: where the programs come from, as ``simpy_corpus.inputs.finding.find_inputs`` gives them.
        output: a folder that does not exist, is empty, or is that of the same run.
        options: what decides the bytes of the output.
        engine: who does the work, one of ``simpy_corpus.engines.ENGINES``; no byte depends on it.
        workers: how many do it at the same time; no byte depends on it.
        restart: forget what the folder holds of another run.
        progress: is told in a few words what has been done.

    Raises:
        SimPyError: an input cannot be read, the folder is not that of this run, another run writes to it, or a worker died.
        OSError: a file cannot be read or written.
        ModuleNotFoundError: the library of an input, a format or an engine is missing.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from simpy_corpus.inputs.python_files import PythonFiles
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, text in (("a.py", "x = 1"), ("b.py", "x =")):
    ...         _ = Path(folder, name).write_text(text)
    ...     files = PythonFiles([(os.path.join(folder, name), name) for name in ("a.py", "b.py")])
    ...     report = build([files], os.path.join(folder, "out"))
    ...     report["converted"], report["refused"]["syntax"]["rows"], sorted(os.listdir(os.path.join(folder, "out")))
    (1, 1, ['_manifest.json', '_report.json', 'shard-00000.parquet'])
    """
    chosen = options or Options()
    folder = os.fspath(output)
    tell = progress or (lambda words: None)
    settings = {**chosen.described(), "inputs": [source.described() for source in inputs]}
    if manifest.begin(folder, settings, restart=restart):
        tell("this run is done already")
        return manifest.load_report(folder)
    with manifest.alone(folder), open_engine(engine, workers) as run:
        work = manifest.work_folder(folder)
        _prepare(work, chosen)
        parts = _stage(inputs, work, chosen, run, tell)
        shards, decision = _write_shards(folder, work, parts, chosen, run, tell)
        report = _report(decision.report, shards)
        files: dict[str, bytes] = {}
        if chosen.format == "ids":
            from simpy_corpus.shards import describe_ids

            files = describe_ids(chosen, parts)
        found = [{"files": shard.files, "rows": shard.rows, "converted": shard.converted} for shard in shards]
        _remove_stale(folder, {name for shard in shards for name in shard.files})
        manifest.end(folder, settings, found, report, files)
    return report


def _prepare(work: str, options: Options) -> None:
    """Load what is needed at the end, so that an error comes now, and write what workers read."""
    if options.format == "ids":
        from simpy_corpus.shards import load_packer

        load_packer(options.tokenizer or "", options.dialect, options.separator)
    if NEAR_DUPLICATE in options.drop:
        import datasketch  # noqa: F401  # whether it is there
    if options.format == "jsonl.zst":
        import zstandard  # noqa: F401
    if options.evaluations:
        from simpy_corpus.staging import EVALUATIONS

        write(f"{work}/{EVALUATIONS}", Evaluations.read(options.evaluations).to_bytes())


def _stage(inputs: Sequence[Input], work: str, options: Options, run: Mapper, tell: Progress) -> int:
    """Make the parts that are missing; return how many there are."""
    from simpy_corpus.staging import Task, is_staged, stage
    from simpy_corpus.units import cut

    count = 0

    def missing() -> Iterator[Unit]:
        nonlocal count
        for unit in cut(inputs, most_bytes=options.shard_bytes, most_rows=options.shard_rows):
            count += 1
            if is_staged(work, unit):
                tell(f"part {unit.number} is there already")
            else:
                yield unit

    for number in run(partial(stage, Task(work, options)), missing()):
        tell(f"part {number} converted")
    if not count:
        raise SimPyError("the input holds no rows")
    return count


def _write_shards(output: str, work: str, parts: int, options: Options, run: Mapper, tell: Progress) -> tuple[list[Shard], Decision]:
    from simpy_corpus.deciding import decide
    from simpy_corpus.shards import ShardPlan, ShardTask, find_done, write_shard

    decision = decide(work, parts, options)
    task = ShardTask(work, output, options, decision.schema.serialize().to_pybytes())
    plans = [ShardPlan(i, first, tuple(decision.refusals[i])) for i, (first, _) in enumerate(pairwise(decision.starts))]
    found: dict[int, Shard] = {plan.number: done for plan in plans if (done := find_done(task, plan)) is not None}
    for shard in run(partial(write_shard, task), [plan for plan in plans if plan.number not in found]):
        found[shard.number] = shard
        tell(f"shard {shard.number} written: {shard.converted:,} of {shard.rows:,} programs")
    return [found[plan.number] for plan in plans], decision


def _report(report: Report, shards: Iterable[Shard]) -> dict[str, Any]:
    for shard in shards:
        report.written.update(shard.written)
        report.refuse(shard.refused)
    return report.described()


def _remove_stale(output: str, names: set[str]) -> None:
    """Remove shards of an input that had more rows when the run began."""
    for name in os.listdir(output):
        if name.startswith("shard-") and name not in names:
            os.unlink(os.path.join(output, name))
