"""Files that hold data sets of programs: what their names end in, and the lines of those that are JSON lines."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import IO

DATA_SETS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".parquet")


def open_lines(path: str) -> IO[bytes]:
    """The lines of a file, decompressed as its name says.

    Raises:
        OSError: it cannot be opened.
        ModuleNotFoundError: ``zstandard`` is missing.
    """
    if path.endswith(".gz"):
        import gzip

        return gzip.open(path, "rb")  # type: ignore[return-value]  # it reads lines of bytes as any file does
    if path.endswith(".zst"):
        import io

        import zstandard

        plain = zstandard.ZstdDecompressor().stream_reader(open(path, "rb"), read_across_frames=True, closefd=True)  # noqa: SIM115
        return io.BufferedReader(plain, 1 << 20)
    return open(path, "rb")
