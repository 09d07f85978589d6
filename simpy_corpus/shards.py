"""The second half of a run: a part becomes a shard of the output, as Parquet, JSON lines, or token ids."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from simpy_corpus.deciding import Refusal
from simpy_corpus.options import Options
from simpy_corpus.packed_ids import DESCRIPTION
from simpy_corpus.reasons import VOCABULARY
from simpy_corpus.staging import open_part
from simpy_corpus.tables import fit, to_bytes
from simpy_grammar.errors import SimPyError
from simpy_grammar.whole_files import write


class ShardTask(NamedTuple):
    """What a worker makes shards with.

    Attributes:
        folder: where parts are.
        output: where shards go.
        options: those of the run.
        schema: the columns of the shards beside ours, as Arrow writes a schema.
    """

    folder: str
    output: str
    options: Options
    schema: bytes


class ShardPlan(NamedTuple):
    """One shard.

    Attributes:
        number: of the unit.
        first: the row of the input that it begins with.
        refusals: the programs that are refused after all.
    """

    number: int
    first: int
    refusals: tuple[Refusal, ...]


class Shard(NamedTuple):
    """A shard that has been written.

    Attributes:
        number: of the unit.
        files: name -> digest of its content.
        rows: how many rows it has.
        converted: how many of them hold a program.
        written: what it holds, for the report.
        refused: reason -> how many programs could not be written.
    """

    number: int
    files: dict[str, str]
    rows: int
    converted: int
    written: dict[str, int]
    refused: dict[str, int]


def done_path(folder: str, number: int) -> str:
    """Where it is noted that a shard is done."""
    return f"{folder}/shard-{number:05}.json"


def find_done(task: ShardTask, plan: ShardPlan) -> Shard | None:
    """The shard, if an interrupted run has written it already from the same part by the same decisions."""
    try:
        with open(done_path(task.folder, plan.number), encoding="utf-8") as file:
            found = json.load(file)
        if found["key"] != _key(task, plan) or not all(os.path.exists(os.path.join(task.output, name)) for name in found["shard"]["files"]):
            return None
        return Shard(plan.number, **found["shard"])
    except (OSError, ValueError, KeyError):
        return None


def write_shard(task: ShardTask, plan: ShardPlan) -> Shard:
    """Write a shard, and then the note that it is done."""
    options = task.options
    table = _with_refusals(open_part(task.folder, plan.number), plan.refusals)
    written: dict[str, int] = {}
    refused: dict[str, int] = {}
    schema = pa.ipc.read_schema(pa.BufferReader(task.schema))
    rest = fit(table, schema) if len(schema) else None
    if options.format == "ids":
        files = _ids(table, rest, plan, options, written, refused)
    else:
        own = pa.table(
            {
                "program": table["program"],
                "dialect": pa.array([options.dialect.name] * len(table), pa.string()),
                **{name: table[name] for name in ("error", "message", "line", "source_characters", "lexemes")},
            }
        )
        if options.has_fingerprints:
            texts = [None if one is None else one.hex() for one in table["fingerprint"].to_pylist()]
            own = own.append_column("fingerprint", pa.array(texts, pa.string()))
        whole = own if rest is None else pa.table([*own.columns, *rest.columns], names=[*own.column_names, *rest.column_names])
        files = {f"shard-{plan.number:05}.{options.format}": _WRITERS[options.format](whole)}
    written["program_characters"] = sum(len(program) for program in table["program"].to_pylist() if program is not None)
    for name, data in files.items():
        write(os.path.join(task.output, name), data)
    digests = {name: sha256(data).hexdigest() for name, data in files.items()}
    converted = len(table) - table["program"].null_count - sum(refused.values())
    shard = Shard(plan.number, digests, len(table), converted, written, refused)
    noted = {name: value for name, value in shard._asdict().items() if name != "number"}
    write(done_path(task.folder, plan.number), json.dumps({"key": _key(task, plan), "shard": noted}).encode())
    return shard


def _key(task: ShardTask, plan: ShardPlan) -> str:
    """A digest of all that decides the bytes of a shard, within a run."""
    unit = open_part(task.folder, plan.number).schema.metadata[b"unit"]
    return sha256(unit + repr((plan, task.schema)).encode()).hexdigest()


def _with_refusals(table: Any, refusals: tuple[Refusal, ...]) -> Any:
    if not refusals:
        return table
    columns = {name: table[name].to_pylist() for name in ("program", "error", "message")}
    for row, error, message in refusals:
        columns["program"][row] = None
        columns["error"][row] = error
        columns["message"][row] = message
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pa.array(values, table.schema.field(name).type))
    return table


# ------------------------------------------------------------------------------------------------------ formats


def _parquet(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _json_lines(table: Any) -> bytes:
    out = io.BytesIO()
    for row in table.to_pylist():
        out.write(json.dumps(row, ensure_ascii=False, default=_plain).encode() + b"\n")
    return out.getvalue()


def _plain(value: object) -> str:
    """What JSON has no form for: bytes, dates, decimals."""
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _gzip(table: Any) -> bytes:
    return gzip.compress(_json_lines(table), mtime=0)  # no date, so that equal shards are equal bytes


def _zstandard(table: Any) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=6).compress(_json_lines(table))


_WRITERS: dict[str, Callable[[Any], bytes]] = {"parquet": _parquet, "jsonl": _json_lines, "jsonl.gz": _gzip, "jsonl.zst": _zstandard}


class Packer(NamedTuple):
    """A tokenizer as the format ``ids`` needs it.

    Attributes:
        codec: makes ids of programs.
        separator: the id after each program; ``None`` for none.
        dtype: of the ids, as numpy calls it.
    """

    codec: Any
    separator: int | None
    dtype: str


@lru_cache(maxsize=2)
def load_packer(tokenizer: str, dialect: Any, separator: str | None) -> Packer:
    """The tokenizer of a run. One that has not been extended for the dialect is extended; Python needs no extension.

    Raises:
        TokenizerError: there is no such tokenizer, or it cannot be extended.
        SimPyError: it has no such separator.
    """
    from tokenizer_ext import extend, load_tokenizer
    from tokenizer_ext.adapters import adapter_of
    from tokenizer_ext.plain_codec import codec_for

    extended = extend(load_tokenizer(tokenizer), dialect=dialect)
    added = adapter_of(extended).added
    if separator is not None and separator not in added:
        own = sorted(token for token in added if token not in dialect.special_tokens)
        hint = f"name one of {', '.join(own[:8])}" if own else "leave the separator out"
        raise SimPyError(f"the tokenizer has no token {separator!r} of its own", path=tokenizer, hint=hint)
    highest = max([*added.values(), _size(extended) - 1])
    return Packer(codec_for(extended, dialect), None if separator is None else added[separator], "<u2" if highest < 1 << 16 else "<u4")


def _size(tokenizer: Any) -> int:
    if hasattr(tokenizer, "get_vocab_size"):
        return int(tokenizer.get_vocab_size())
    return int(tokenizer.n_vocab if hasattr(tokenizer, "n_vocab") else len(tokenizer))


def _ids(table: Any, rest: Any, plan: ShardPlan, options: Options, written: dict[str, int], lost: dict[str, int]) -> dict[str, bytes]:
    import numpy as np

    packer = load_packer(options.tokenizer or "", options.dialect, options.separator)
    ids: list[Any] = []
    index: list[tuple[int, int]] = []
    refused: list[dict[str, Any]] = []
    end = 0
    for row, (program, error, message) in enumerate(
        zip(*(table[n].to_pylist() for n in ("program", "error", "message")), strict=True), plan.first
    ):
        found: list[int] | None = None
        if program is not None:
            try:
                found = packer.codec.encode(program)
            except SimPyError as problem:
                error, message = VOCABULARY, problem.message
                lost[VOCABULARY] = lost.get(VOCABULARY, 0) + 1
        if found is None:
            refused.append({"row": row, "error": error, "message": message})
            continue
        if packer.separator is not None:
            found = [*found, packer.separator]
        end += len(found)
        ids.append(np.array(found, dtype=packer.dtype))
        index.append((row, end))
    written["ids"] = end
    buffer = io.BytesIO()
    np.save(buffer, np.array(index, dtype="<i8").reshape(-1, 2))
    name = f"shard-{plan.number:05}"
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in refused)
    columns = {} if rest is None else {f"{name}.columns.arrow": to_bytes(rest.take([row - plan.first for row, _ in index]))}
    return columns | {
        f"{name}.bin": b"".join(one.tobytes() for one in ids),
        f"{name}.index.npy": buffer.getvalue(),
        f"{name}.refused.jsonl": lines.encode("utf-8", "backslashreplace"),
    }


def describe_ids(options: Options, shards: int) -> dict[str, bytes]:
    """The file that says what the packed ids of a run are."""
    packer = load_packer(options.tokenizer or "", options.dialect, options.separator)
    found = {
        "tokenizer": options.tokenizer,
        "dialect": options.dialect.name,
        "dtype": packer.dtype,
        "separator": packer.separator,
        "shards": [f"shard-{number:05}" for number in range(shards)],
    }
    return {DESCRIPTION: json.dumps(found, indent=1).encode() + b"\n"}
