"""What an output folder says of itself: which run it belongs to, and whether that is done. Nobody else's folder is written to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from simpy_grammar.errors import SimPyError
from simpy_grammar.whole_files import write

MANIFEST, REPORT, WORK = "_manifest.json", "_report.json", "_work"
"""Names that readers of data sets pass over, as they do all that begin with ``_``."""
_SETTINGS = "settings.json"
_BEFORE_PARTS = (_SETTINGS, "lock", "evaluations.bin")
_NOT_OURS = "name a folder that does not exist yet or is empty, or begin anew with --restart"


def work_folder(output: str) -> str:
    """Where the parts of a run are until it is done."""
    return f"{output}/{WORK}"


def begin(output: str, settings: Mapping[str, Any], *, restart: bool = False) -> bool:
    """Make a folder the output of a run; return whether the run is done already.

    Args:
        output: the folder.
        settings: what the run depends on.
        restart: forget what the folder holds of another run.

    Raises:
        SimPyError: the folder holds something else, or a run of other settings.
        OSError: it cannot be written.
    """
    work = work_folder(output)
    wanted = json.loads(json.dumps(settings))
    manifest, begun = _load(os.path.join(output, MANIFEST)), _load(os.path.join(work, _SETTINGS))
    if restart and (manifest is not None or begun is not None):
        _remove(output, manifest)
        manifest = begun = None
    if manifest is None and begun is not None and not _has_parts(work):
        begun = None if begun != wanted else begun  # it ended before it had done anything: other settings cost nothing
    known = begun if manifest is None else manifest.get("settings")
    if known is not None:
        if known != wanted:
            names = ", ".join(sorted(name for name in {*known, *wanted} if known.get(name) != wanted.get(name)))
            raise SimPyError(f"the folder holds a run with another setting of: {names}", path=output, hint=_NOT_OURS)
        _remove_unfinished(output)
        if manifest is not None:
            shutil.rmtree(work, ignore_errors=True)
        return manifest is not None
    if os.path.isdir(output) and _foreign(output):
        raise SimPyError("the folder holds something else", path=output, hint=_NOT_OURS.partition(",")[0])
    write(os.path.join(work, _SETTINGS), json.dumps(wanted, indent=1).encode())
    return False


def end(
    output: str, settings: Mapping[str, Any], shards: list[dict[str, Any]], report: Mapping[str, Any], files: Mapping[str, bytes]
) -> None:
    """Write what belongs to the whole, the manifest last, and remove what was needed on the way."""
    for name, data in {**files, REPORT: _json(report)}.items():
        write(os.path.join(output, name), data)
    write(os.path.join(output, MANIFEST), _json({"settings": settings, "shards": shards}))
    shutil.rmtree(work_folder(output), ignore_errors=True)


def load_report(output: str) -> dict[str, Any]:
    """The report of a run that is done."""
    found = _load(os.path.join(output, REPORT))
    return found if found is not None else {}


@contextmanager
def alone(output: str) -> Iterator[None]:
    """Keep other runs away from an output folder while this one works, where the system has locks of this kind.

    Raises:
        SimPyError: another run is at work.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    os.makedirs(work_folder(output), exist_ok=True)
    with open(os.path.join(work_folder(output), "lock"), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SimPyError("another run writes to this folder", path=output, hint="wait until it is done") from None
        except OSError:  # a file system without locks
            pass
        yield


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _load(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _foreign(output: str) -> bool:
    """Whether a folder holds more than a run leaves that has not done anything."""
    work = work_folder(output)
    inside = set(os.listdir(work)) if os.path.isdir(work) else set()
    return bool(set(os.listdir(output)) - {WORK}) or not all(name in _BEFORE_PARTS or _is_unfinished(name) for name in inside)


def _has_parts(work: str) -> bool:
    return any(name.startswith("part-") for name in os.listdir(work))


def _is_unfinished(name: str) -> bool:
    return name.startswith(".simpy-") and name.endswith(".tmp")


def _remove_unfinished(output: str) -> None:
    """Remove what a killed run has left of files that it was writing."""
    for folder in (output, work_folder(output)):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if _is_unfinished(name):
                os.unlink(os.path.join(folder, name))


def _remove(output: str, manifest: Mapping[str, Any] | None) -> None:
    """Remove what a run has written, and nothing else."""
    names = [name for shard in (manifest or {}).get("shards", ()) for name in shard["files"]]
    names += [name for name in os.listdir(output) if name.startswith("shard-")]
    for name in (*names, REPORT, MANIFEST, "ids.json"):
        path = os.path.join(output, os.path.basename(name))
        if os.path.isfile(path):
            os.unlink(path)
    shutil.rmtree(work_folder(output), ignore_errors=True)
