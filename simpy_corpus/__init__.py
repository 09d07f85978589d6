"""Corpora of Python as corpora of SimPy: many programs at once, data sets in shards, cleaning on lexemes, packed token ids.

Importing this brings no library of data sets: they are imported where they are used.
"""

from __future__ import annotations

from simpy_grammar.later_imports import import_later

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_corpus.canonical import fingerprint
    from simpy_corpus.converting import Converted, Limits, convert_batch
    from simpy_corpus.options import Options
    from simpy_corpus.packed_ids import PackedIds
    from simpy_corpus.report import Report, summarize
    from simpy_corpus.running import build

__all__ = ["Converted", "Limits", "Options", "PackedIds", "Report", "build", "convert_batch", "fingerprint", "summarize"]

_WHERE = {
    "Converted": "simpy_corpus.converting",
    "Limits": "simpy_corpus.converting",
    "Options": "simpy_corpus.options",
    "PackedIds": "simpy_corpus.packed_ids",
    "Report": "simpy_corpus.report",
    "build": "simpy_corpus.running",
    "convert_batch": "simpy_corpus.converting",
    "fingerprint": "simpy_corpus.canonical",
    "summarize": "simpy_corpus.report",
}

__getattr__ = import_later(__name__, _WHERE)
