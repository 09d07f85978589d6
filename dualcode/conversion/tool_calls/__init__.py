"""Tool calls of agents: the code that they quote, given back in the person's own bytes."""

from dualcode.conversion.tool_calls.earlier_calls import ToolCall
from dualcode.conversion.tool_calls.give_back import Counts, GiveBack
from dualcode.conversion.tool_calls.tools import TOOLS, EditTool, read_tools, tools_of

__all__ = ["TOOLS", "Counts", "EditTool", "GiveBack", "ToolCall", "read_tools", "tools_of"]
