"""People keep Python, the model reads and writes SimPy."""

from __future__ import annotations

from dualcode.calls import Result
from dualcode.conversion.markdown import MixedText
from dualcode.conversion.outcomes import Converted, Note
from dualcode.conversion.tool_results import PythonCode
from dualcode.usage import SessionUsage, Usage
from dualcode.wrapper import DualCode

__all__ = ["Converted", "DualCode", "MixedText", "Note", "PythonCode", "Result", "SessionUsage", "Usage"]
