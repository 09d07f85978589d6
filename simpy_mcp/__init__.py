"""A Model Context Protocol server: agents read and edit Python files with few tokens, and every edit is proved.

The work is done in ``Workspace``; only ``simpy_mcp.server`` knows the protocol and needs the extra ``mcp``. The command line
is ``simpy_cli.commands.mcp``.
"""

from __future__ import annotations

from simpy_mcp.settings import Settings, make_settings
from simpy_mcp.workspace import Workspace

__all__ = ["Settings", "Workspace", "make_settings"]
