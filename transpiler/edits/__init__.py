"""Edits of the person's own file: what did not change keeps every byte, and every edit is proved before it is returned."""

from transpiler.edits.edit import ChangedRange, Edit, merge, replace

__all__ = ["ChangedRange", "Edit", "merge", "replace"]
