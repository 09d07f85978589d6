"""The page that shows what ``benchmarks/speed.py`` has measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

KB, MB = 1_000, 1_000_000
STARTS = ("python -c pass", "simpy encode", "simpy encode --fast")
STREAM = "decode token by token"
PEERS = ("peers", "slow")

_INTRODUCTION = """\
These tables say how fast programs are converted, beside other tools that read the same text. `native` is the core in C. `pure` is the
same in Python alone, which runs where the core is not built, or with `SIMPY_PURE=1`. Both give the same text.

- MB are megabytes of Python source, also where SimPy is read. Only the files of the standard library are read, without its tests.
- Times are processor time: of all threads of a process, and user and system time of whole processes.
- "Times tokenizers" is the speed as a multiple of `tokenizers` with StarCoder's vocabulary, which encodes the same Python. It is the
  median of the ratios within each round. More is faster.
- The default proof of `encode` parses the source and the decoded program with CPython and compares the trees. So two parses by
  CPython are a bound: a proof by trees can be about half as fast as `ast.parse` and no faster, however fast the core is.
  `verify="stream"` compares lexemes and has no such bound.
- All else that is here is measured, not promised. It is another figure on another machine; ratios move less than speeds.
"""
_TARGETS = (
    "Speed of the native core as a multiple of `tokenizers` on the same text, of all files; in brackets, of the class where it is least."
)
_STREAM_NOTE = """\
The SimPy is cut beforehand, as StarCoder's tokenizer cuts it once it has the grammar tokens of the dialect. Only `Decoder` is timed."""
_GROWTH_NOTE = "Microseconds per byte for the same statements in programs of growing size; in brackets, as a multiple of the smallest."
_MEMORY_NOTE = (
    "By how much the memory of a process grows at most while it converts one program of {size:.0f} MB, read from its file before."
)
_COMMANDS_NOTE = """\
Processor time of whole processes that read a folder of {files} files of the standard library, {size:.2f} MB, start included: median of
{rounds} rounds. `simpy` runs in one process and writes each file, without its cache of results. `ruff format --check` parses and formats
and writes nothing; `ruff check` with no rule but E902 parses. Nothing is subtracted."""
_START_NOTE = "The processor time of whole processes that read `examples/two_sum.py`."


def markdown(result: dict[str, Any]) -> str:
    """The page that shows a result."""
    machine, rows = result["machine"], result["by_size"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines = [
        "# Speed",
        "",
        "Written by `python benchmarks/speed.py --render` from `benchmarks/results/speed.json`; edit neither by hand.",
        "",
        _INTRODUCTION.rstrip("\n"),
        "",
        f"Measured with Python {machine['python']} on {machine['system']} {machine['machine']}, {machine['cpus']} CPUs; {packages}. "
        f"Medians of {result['rounds']} interleaved rounds.",
        "",
        *_operations(rows[-1]),
        *_targets(rows),
        *_peers(rows[-1]),
        *_streams(rows[-1]),
        *_classes(rows),
        *(_growth(result["growth"]) if result["growth"] else ()),
        *(_memory(result["memory"]) if result["memory"] else ()),
        *_commands(result["commands"]),
        *_starts(result["start_up_ms"]),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _operations(total: dict[str, Any]) -> Iterator[str]:
    yield "## Native and pure"
    yield ""
    yield f"{total['files']:,} files, {_mb(total['bytes'])} MB."
    yield f"Pure Python reads {total['part_files']:,} of them, {_mb(total['part_bytes'])} MB."
    yield "The last three columns are ratios within rounds; native and pure are compared on the same files."
    yield ""
    speeds, times = total["mb_per_second"], total["times_tokenizers"]
    yield from _table(
        ["", "native, MB/s", "pure, MB/s", "native / pure", "native, times tokenizers", "pure, times tokenizers"],
        (
            [
                _code(name),
                _speed(speed),
                _speed(speeds["pure"][name]),
                _times(total["native_times_pure"][name]),
                _times(times["native"][name]),
                _times(times["pure"][name]),
            ]
            for name, speed in speeds["native"].items()
        ),
    )


def _targets(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Targets of the core"
    yield ""
    yield _TARGETS
    yield ""
    found: dict[str, dict[str, str]] = {}
    for name, ratio in rows[-1]["times_tokenizers"]["native"].items():
        what, dialect = name.split(": ")
        least = min(row["times_tokenizers"]["native"][name] for row in rows[:-1])
        found.setdefault(what, {})[dialect] = f"{_times(ratio)} ({_times(least)})"
    dialects = list(dict.fromkeys(dialect for cells in found.values() for dialect in cells))
    yield from _table(["", *dialects], ([_code(what), *(cells.get(dialect, "") for dialect in dialects)] for what, cells in found.items()))
    parse = rows[-1]["times_tokenizers"]["peers"]["ast.parse"]
    yield f"Two parses by CPython, which are the bound of the default proof: {_times(parse / 2)}."
    yield ""


def _peers(total: dict[str, Any]) -> Iterator[str]:
    yield "## Other tools"
    yield ""
    slow = ", ".join(total["mb_per_second"]["slow"])
    if slow:
        yield f"Of the slow ones ({slow}), once, on the files that pure Python reads."
        yield ""
    yield from _table(
        ["", "MB/s", "times tokenizers"],
        (
            [_code(name), _speed(speed), _times(total["times_tokenizers"][kind][name])]
            for kind in PEERS
            for name, speed in total["mb_per_second"][kind].items()
        ),
    )


def _streams(total: dict[str, Any]) -> Iterator[str]:
    yield "## Token by token"
    yield ""
    yield _STREAM_NOTE
    yield ""
    rows = []
    for dialect, pieces in total["pieces"].items():
        name = f"{STREAM}: {dialect}"
        spent = [
            total[size] / MB / total["mb_per_second"][kind][name] / count * 1e6
            for kind, size, count in (("native", "bytes", pieces), ("pure", "part_bytes", total["part_pieces"][dialect]))
        ]
        rows.append([dialect, f"{pieces:,}", *(f"{one:.2f}" for one in spent)])
    yield from _table(["dialect", "tokens", "native, microseconds a token", "pure, microseconds a token"], rows)


def _classes(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## By size of file"
    yield ""
    yield "Megabytes per second; `pure` and the slow tools as above."
    yield ""
    head = ["", *(row["class"] for row in rows)]
    speeds = rows[-1]["mb_per_second"]
    named = [(kind, name) for kind in ("native", "pure", *PEERS) for name in speeds[kind]]
    sizes = ["files", *(f"{row['files']:,}" for row in rows)], ["MB", *(_mb(row["bytes"]) for row in rows)]
    cells = ([_named(kind, name), *(_speed(row["mb_per_second"][kind][name]) for row in rows)] for kind, name in named)
    yield from _table(head, [*sizes, *cells])
    yield "As a multiple of the speed of `tokenizers`:"
    yield ""
    yield from _table(
        head,
        ([_named(kind, name), *(_times(row["times_tokenizers"][kind][name]) for row in rows)] for kind, name in named if kind != "slow"),
    )


def _growth(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "## Growth"
    yield ""
    yield _GROWTH_NOTE
    yield ""
    names = list(rows[0]["us_per_byte"])
    yield from _table(
        ["program of", *names],
        (
            [f"{row['size'] // KB:,} KB", *(f"{row['us_per_byte'][name]:.3f} ({_times(row['times_smallest'][name])})" for name in names)]
            for row in rows
        ),
    )


def _memory(found: dict[str, Any]) -> Iterator[str]:
    yield "## Memory"
    yield ""
    yield _MEMORY_NOTE.format(size=found["bytes"] / MB)
    yield "The default proof holds CPython's syntax trees of both programs, whatever the core does."
    yield ""
    cells = {name: one for name, one in found.items() if name != "bytes"}
    yield from _table(
        ["", "native", "pure"],
        (
            [_code(name), *(f"{one[kind] / MB:,.0f} MB ({one[kind] / found['bytes']:.1f} bytes a byte)" for kind in ("native", "pure"))]
            for name, one in cells.items()
        ),
    )


def _commands(found: dict[str, Any]) -> Iterator[str]:
    yield "## A folder"
    yield ""
    yield _COMMANDS_NOTE.format(files=found["files"], size=found["bytes"] / MB, rounds=found["rounds"])
    yield ""
    rows = []
    for name, seconds in found["seconds"].items():
        command, _, kind = name.partition(", ")
        rows.append([f"`{command}`{', ' * bool(kind)}{kind}", f"{seconds:.2f}", _speed(found["bytes"] / MB / seconds)])
    yield from _table(["command", "seconds", "MB/s"], rows)


def _starts(found: dict[str, float]) -> Iterator[str]:
    yield "## Start"
    yield ""
    yield _START_NOTE
    yield ""
    yield from _table(
        ["command", "milliseconds", "times bare Python"],
        ([f"`{name}`", f"{found[name]:.0f}", f"{found.get(f'{name}, times python -c pass', 1.0):.1f}x"] for name in STARTS),
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---", *("---:" for _ in head[1:])])
    for cells in rows:
        yield _row(cells)
    yield ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(name: str) -> str:
    return name.replace('verify="stream"', '`verify="stream"`')


def _named(kind: str, name: str) -> str:
    return f"{_code(name)}, {kind}" if kind not in PEERS else name


def _speed(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}"


def _times(value: float) -> str:
    return f"{_speed(value)}x"


def _mb(size: int) -> str:
    return f"{size / MB:.2f}"
