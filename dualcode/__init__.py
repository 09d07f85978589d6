"""People keep Python, the model reads and writes SimPy."""

from __future__ import annotations

from dualcode.answers import Result
from dualcode.ledger import Ledger
from dualcode.mixed import MixedText, PythonCode
from dualcode.notes import Converted, Note
from dualcode.wrapper import DualCode

__all__ = ["Converted", "DualCode", "Ledger", "MixedText", "Note", "PythonCode", "Result"]
