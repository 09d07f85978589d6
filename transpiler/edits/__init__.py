"""Edits of the person's own file: what did not change keeps every byte, and every edit is proved before it is returned."""

from transpiler.edits.replacement import replace
from transpiler.edits.source_file import ChangedRange, Edit
from transpiler.edits.three_way import merge

__all__ = ["ChangedRange", "Edit", "merge", "replace"]
