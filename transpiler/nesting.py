"""How deep blocks may nest in a layout of Python."""

from __future__ import annotations

DEEPEST = 511
"""Blocks in blocks: as many as the parser of Python takes, so that the indents stay a bounded multiple of the text."""


class TooDeepError(Exception):
    """Blocks nest too deep.

    Attributes:
        index: of the lexeme that opens one too many.
    """

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index
