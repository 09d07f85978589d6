"""Puts the figures of a benchmark between two marks of a page in ``docs``, or says that they are stale."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def put(page: str, mark: str, text: str, command: str, check: bool) -> int:
    """Write ``text`` between ``<!-- mark -->`` and ``<!-- end of mark -->``; with ``check`` only look. 1 if the page is stale."""
    path = DOCS / page
    old = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->\n"
    if begin not in old or end not in old:
        raise SystemExit(f"docs/{page} has no place for {mark}")
    new = old.partition(begin)[0] + begin + text + end + old.partition(end)[2]
    if check:
        if new != old:
            print(f"docs/{page} is stale: run {command}", file=sys.stderr)
        return int(new != old)
    path.write_text(new, encoding="utf-8")
    return 0
