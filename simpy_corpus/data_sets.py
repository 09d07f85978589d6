"""What the names of files end in that hold data sets of programs."""

from __future__ import annotations

DATA_SETS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".parquet")
