"""What decides the bytes of a run: the options, and how a manifest writes them down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from simpy_corpus.converting import Limits
from simpy_corpus.reasons import DROPPABLE, DUPLICATE, NEAR_DUPLICATE
from simpy_grammar.code_digest import code_digest
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean

FORMATS = ("parquet", "jsonl", "jsonl.gz", "jsonl.zst", "ids")
_CODE = ("simpy_grammar", "transpiler", "tokenizer_ext", "simpy_corpus", "grammars")


@dataclass(frozen=True)
class Options:
    """What a run does with a corpus. Equal options and inputs give equal bytes.

    Attributes:
        dialect: the dialect to write.
        source: the dialect of the input.
        verify: whether each conversion is proved, and how, as ``transpiler.encode`` says.
        limits: what one program may cost.
        columns: the columns that stay beside the program; ``None`` for all.
        keep_source: whether the column of the text stays too.
        fingerprint: whether each row has the fingerprint of its program; it has if duplicates are refused.
        drop: which programs are refused though they could be converted: names of ``simpy_corpus.reasons.DROPPABLE``.
        similarity: from which share of equal runs of lexemes on a program is nearly the same as another.
        evaluations: files and folders of evaluations; what they hold is refused.
        format: how shards are written, one of ``FORMATS``.
        tokenizer: the tokenizer of the format ``ids``, as ``tokenizer_ext.load_tokenizer`` takes it.
        separator: a token of it that is written after each program.
        shard_bytes: a shard ends with the program that reaches so many bytes of text ...
        shard_rows: ... or so many rows.

    Raises:
        SimPyError: options contradict each other, or one has no such value.
    """

    dialect: Dialect = field(default_factory=lambda: Dialect.load("classic"))
    source: Dialect = field(default_factory=lambda: Dialect.load(PYTHON))
    verify: bool | Literal["stream"] = True
    limits: Limits = Limits()
    columns: tuple[str, ...] | None = None
    keep_source: bool = False
    fingerprint: bool = False
    drop: tuple[str, ...] = ()
    similarity: float = 0.85
    evaluations: tuple[str, ...] = ()
    format: str = "parquet"
    tokenizer: str | None = None
    separator: str | None = None
    shard_bytes: int = 32_000_000
    shard_rows: int = 20_000

    def __post_init__(self) -> None:
        for name in self.drop:
            if name not in DROPPABLE:
                raise SimPyError(f"no reason {name!r}", hint=did_you_mean(name, DROPPABLE, f"use {', '.join(DROPPABLE)}"))
        if self.format not in FORMATS:
            raise SimPyError(f"no format {self.format!r}", hint=did_you_mean(self.format, FORMATS, f"use {', '.join(FORMATS)}"))
        if (self.format == "ids") != (self.tokenizer is not None):
            raise SimPyError("token ids need a tokenizer, and other formats have none", hint="name both, --format ids and --tokenizer")
        if self.separator is not None and self.format != "ids":
            raise SimPyError("a separator stands between token ids only", hint="name the format ids")
        if not 0 < self.similarity <= 1:
            raise SimPyError(f"a similarity of {self.similarity:g} is not a share", hint="name one between 0 and 1")
        if self.shard_bytes < 1 or self.shard_rows < 1:
            raise SimPyError("a shard holds at least one byte and one row")

    def described(self) -> dict[str, Any]:
        """The options as a manifest writes them down, with a digest of the code: other code may write other bytes."""
        from simpy_corpus.evaluations import files_digest

        return {
            "dialect": self.dialect.name,
            "dialect_digest": self.dialect.digest,
            "source": self.source.name,
            "source_digest": self.source.digest,
            "verify": self.verify,
            "limits": self.limits._asdict(),
            "columns": self.columns and list(self.columns),
            "keep_source": self.keep_source,
            "fingerprint": self.has_fingerprints,
            "drop": sorted(self.drop),
            "similarity": self.similarity,
            "evaluations": [[path, files_digest(path)] for path in self.evaluations],
            "format": self.format,
            "tokenizer": self.tokenizer,
            "separator": self.separator,
            "shard_bytes": self.shard_bytes,
            "shard_rows": self.shard_rows,
            "code": code_digest(_CODE)[:32],
        }

    @property
    def has_fingerprints(self) -> bool:
        """Whether the fingerprints of programs are needed."""
        return self.fingerprint or DUPLICATE in self.drop or NEAR_DUPLICATE in self.drop
