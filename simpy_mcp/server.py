"""The tools over the Model Context Protocol, by the official SDK: on standard input and output, or over streamable HTTP.

Only this file needs the extra ``mcp``.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import uvicorn
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, Tool, ToolAnnotations

from simpy_grammar.errors import SimPyError
from simpy_mcp.settings import Answer
from simpy_mcp.tools import INSTRUCTIONS, TOOLS, call
from simpy_mcp.workspace import Workspace

LOG = logging.getLogger("simpy.mcp")
PATH = "/mcp"
_STDIO = "stdio"  # the session of the one client on standard input and output
Context = ServerRequestContext[Any, Any]


def create_server(workspace: Workspace, *, stdio: bool, version: str = "") -> Server[Any]:
    """The server.

    Args:
        workspace: what is served.
        stdio: whether one client alone is at the other end. Over HTTP, sessions are told apart by their ids; where the protocol
            has none (since 2026-07-28), each call stands for itself, and clients say what they have seen.
        version: the version of the toolchain.
    """

    async def list_tools(_: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_described(name) for name in TOOLS])

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        session = _STDIO if stdio else _session_id(context)
        return await asyncio.to_thread(_answer, workspace, session, params.name, params.arguments or {})

    return Server("simpy", version=version, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def run_stdio(workspace: Workspace, *, version: str = "") -> None:
    """Serve one client until it closes standard input."""
    server = create_server(workspace, stdio=True, version=version)

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())


def run_http(workspace: Workspace, listener: socket.socket, host: str, *, version: str = "") -> None:
    """Serve over streamable HTTP at ``/mcp`` until a signal says stop.

    Args:
        workspace: what is served.
        listener: the socket to listen on.
        host: its address. On this machine's own, requests of web pages (by their ``Host`` and ``Origin``) are refused.
        version: the version of the toolchain.
    """
    app = create_server(workspace, stdio=False, version=version).streamable_http_app(streamable_http_path=PATH, host=host)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)).run(sockets=[listener])


def _session_id(context: Context) -> str | None:
    """The session of a request, which the transport has checked; ``None`` in a protocol without sessions."""
    request = context.request
    found: str | None = None if request is None else request.headers.get(MCP_SESSION_ID_HEADER)
    return found


def _described(name: str) -> Tool:
    tool = TOOLS[name]
    annotations = ToolAnnotations(read_only_hint=not tool.changes_files, open_world_hint=False)
    return Tool(name=name, description=tool.description, input_schema=tool.schema(), annotations=annotations)


def _answer(workspace: Workspace, session: str | None, name: str, arguments: dict[str, Any]) -> CallToolResult:
    """The result of a call: its texts, or the message that the command line would print, as an error of the tool."""
    try:
        answer = call(workspace, session, name, arguments)
    except SimPyError as error:
        return _result(Answer(str(error)), is_error=True)
    except Exception as error:
        LOG.exception("%s failed", name)
        return _result(Answer(f"{name}: error: {type(error).__name__}; this is a bug of simpy mcp: nothing was written"), is_error=True)
    return _result(answer)


def _result(answer: Answer, *, is_error: bool = False) -> CallToolResult:
    # Lone surrogates, which a string literal may hold, have no UTF-8.
    texts = [text.encode("utf-8", "replace").decode("utf-8") for text in answer if text or text is answer.text]
    return CallToolResult(content=[TextContent(text=text) for text in texts], is_error=is_error)
