"""Agents as people install them, with `simpy serve` in front of a model: each reads a file, and edits it as the model saw it.

    npm install @anthropic-ai/claude-code @openai/codex @qwen-code/qwen-code opencode-ai
    PATH=node_modules/.bin:$PATH python benchmarks/agent_clients.py               all of them that are found
    PATH=node_modules/.bin:$PATH python benchmarks/agent_clients.py codex         one of them

The model is a script: it reads the file with the agent's own tool, quotes two lines of it in `compact` to change one, and ends. Through
the MCP server it does the same with `read_code` and `edit_code`, and nothing stands between agent and model. *Read* is what the model got
to read of the file, in percent of the characters that it gets from the agent's own tool with nothing in between. The exit code is 1 if
a file is not what was asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.api_answers import CHAT, MESSAGES, RESPONSES, Call, events  # noqa: E402  # the path must be set first

SOURCE = """\
# The shop and its prices.
class Shop:
    \"\"\"A shop.\"\"\"

    def __init__(self, prices):
        self.prices = dict(prices)   # a copy

    def total(self, names, *, discount=0):
        # Sum of all prices.
        result = 0
        for name in names:
            result += self.prices[name]
        return result * (1 - discount)
"""
ASKED = SOURCE.replace("self.prices[name]", "self.prices.get(name, 0)")
OLD = "  for name in names:result+=self.prices[name]\n  return result*(1-discount)"
NEW = OLD.replace("self.prices[name]", "self.prices.get(name,0)")
PATCH = "\n".join(
    [
        "*** Begin Patch",
        "*** Update File: shop.py",
        "@@",
        *(f"-{line}" for line in OLD.split("\n")),
        *(f"+{line}" for line in NEW.split("\n")),
    ]
    + ["*** End Patch"]
)
Steps = list[tuple[str, dict[str, Any]]]
THROUGH_MCP: Steps = [("read_code", {"path": "shop.py"}), ("edit_code", {"path": "shop.py", "old": OLD, "new": NEW})]


class Client(NamedTuple):
    """An agent.

    Attributes:
        api: the API that it asks.
        command: what runs it with one prompt, and answers to no question of its own.
        steps: what the model asks of its tools, given the file.
        files: its settings, by path below the home folder and the project, given the base URL and whether the MCP server is used.
        variables: those of its environment, given the base URL.
        tool: how it calls a tool of the MCP server.
        waits: its own tools that have to be called before those of the server.
    """

    api: str
    command: list[str]
    steps: Callable[[str], Steps]
    files: Callable[[str, bool], dict[str, str]]
    variables: Callable[[str], dict[str, str]]
    tool: str
    waits: Steps = []


def _server(**more: Any) -> dict[str, Any]:
    variables = {"PYTHONPATH": str(ROOT), **{name: os.environ[name] for name in ("SIMPY_CACHE",) if name in os.environ}}
    return {"command": sys.executable, "args": ["-m", "simpy_cli", "mcp", "."], "env": variables, **more}


def _codex_settings(url: str, mcp: bool) -> dict[str, str]:
    lines = ['model = "m"', 'model_provider = "simpy"', "[model_providers.simpy]", 'name = "simpy"', f'base_url = "{url}/v1"']
    lines += ['wire_api = "responses"', 'env_key = "KEY"']
    if mcp:
        server = _server(required=True, startup_timeout_sec=60)
        lines += ["[mcp_servers.simpy]", *(f"{key} = {json.dumps(value)}" for key, value in server.items() if key != "env")]
        lines += ["[mcp_servers.simpy.env]", *(f"{key} = {json.dumps(value)}" for key, value in server["env"].items())]
    return {"home/.codex/config.toml": "\n".join(lines) + "\n"}


def _claude_settings(url: str, mcp: bool) -> dict[str, str]:
    trusted = {"projects": {"PROJECT": {"hasTrustDialogAccepted": True}}}
    settings = {"enableAllProjectMcpServers": True, "permissions": {"deny": ["Read(**/*.py)", "Edit(**/*.py)"]}}
    return {
        "home/.claude.json": json.dumps(trusted),
        **({"project/.mcp.json": json.dumps({"mcpServers": {"simpy": _server()}})} if mcp else {}),
        **({"project/.claude/settings.json": json.dumps(settings)} if mcp else {}),
    }


def _opencode_settings(url: str, mcp: bool) -> dict[str, str]:
    provider = {"npm": "@ai-sdk/openai-compatible", "options": {"baseURL": f"{url}/v1", "apiKey": "k"}, "models": {"m": {}}}
    server = _server()
    local = {"type": "local", "command": [server["command"], *server["args"]], "environment": server["env"], "timeout": 60_000}
    return {
        "project/opencode.json": json.dumps(
            {"provider": {"simpy": provider}, **({"mcp": {"simpy": local}, "tools": {"read": False, "edit": False}} if mcp else {})}
        )
    }


def _qwen_settings(url: str, mcp: bool) -> dict[str, str]:
    return {"project/.qwen/settings.json": json.dumps({"mcpServers": {"simpy": _server(timeout=60_000)}} if mcp else {})}


CLIENTS = {
    "claude": Client(
        MESSAGES,
        ["claude", "-p", "Go.", "--model", "claude-sonnet-4-5", "--permission-mode", "acceptEdits", "--allowedTools"]
        + ["Read Edit mcp__simpy__read_code mcp__simpy__edit_code"],
        lambda path: [("Read", {"file_path": path}), ("Edit", {"file_path": path, "old_string": OLD, "new_string": NEW})],
        _claude_settings,
        lambda url: {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        "mcp__simpy__{}",
        [("WaitForMcpServers", {})] * 3,  # it gives up after some seconds
    ),
    "codex": Client(
        RESPONSES,
        ["codex", "exec", "--dangerously-bypass-approvals-and-sandbox", "Go."],
        lambda path: [
            ("exec_command", {"cmd": "cat shop.py"}),
            ("exec_command", {"cmd": f"apply_patch <<'EOF'\n{PATCH}\nEOF\n"}),
        ],
        _codex_settings,
        lambda url: {"KEY": "k"},
        "mcp__simpy__{}",
    ),
    "qwen": Client(
        CHAT,
        ["qwen", "--auth-type", "openai", "--approval-mode", "yolo", "-p", "Go."],
        lambda path: [("read_file", {"file_path": path}), ("edit", {"file_path": path, "old_string": OLD, "new_string": NEW})],
        _qwen_settings,
        lambda url: {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"},
        "mcp__simpy__{}",
    ),
    "opencode": Client(
        CHAT,
        ["opencode", "run", "-m", "simpy/m", "--auto", "Go."],
        lambda path: [("read", {"filePath": path}), ("edit", {"filePath": path, "oldString": OLD, "newString": NEW})],
        _opencode_settings,
        lambda url: {"OPENCODE_DISABLE_MODELS_FETCH": "1"},
        "simpy_{}",
    ),
}


class Model:
    """A model that is a script: an answer is the step after those whose results the request holds.

    Attributes:
        requests: the bodies of the requests.
    """

    def __init__(self, api: str, steps: Steps) -> None:
        self.requests: list[dict[str, Any]] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                self._send(b'{"data": [], "models": []}', "application/json")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                model.requests.append(body)
                done = sum(f'"{_id(number)}"' in json.dumps(body) for number in range(len(steps)))
                if not body.get("tools") or done == len(steps):
                    said: str | Call = "Done."
                else:
                    said = Call(*steps[done], id=_id(done))
                self._send(_with_namespaces(api, events(api, said)), "text/event-stream")

            def _send(self, data: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def results(self) -> list[str]:
        """The texts of the results of tools in the last request, in order."""
        return [text for body in self.requests[-1:] for text in _results(body.get("messages") or body.get("input") or [])]


def _with_namespaces(api: str, answer: bytes) -> bytes:
    """The events of an answer, where the API tells a server of tools from its tools."""
    old, new = b'"name": "mcp__simpy__', b'"namespace": "mcp__simpy", "name": "'
    return answer.replace(old, new) if api == RESPONSES else answer


def _id(number: int) -> str:
    return f"call_{number}_of_script"


def _results(messages: Any) -> Iterator[str]:
    for message in messages:
        if message.get("type") == "function_call_output" or message.get("role") == "tool":
            yield _text(message.get("output") or message.get("content"))
        for part in message.get("content") or () if isinstance(message.get("content"), list) else ():
            if part.get("type") == "tool_result":
                yield _text(part.get("content"))


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or ())


@contextmanager
def proxy(upstream: str, folder: Path) -> Iterator[str]:
    """The URL of `simpy serve` before a server."""
    command = [sys.executable, "-m", "simpy_cli", "serve", "--upstream", upstream, "--port", "0"]
    with (folder / "proxy.log").open("w+") as log:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=log, text=True, cwd=ROOT)
        try:
            line = process.stderr.readline() if process.stderr else ""
            yield line.split()[1].removesuffix("/v1")
        finally:
            process.terminate()
            process.communicate()


def run(client: Client, mcp: bool) -> tuple[bool, str, int, str]:
    """Whether the file is as asked; what the model read of it, its length in characters as the tool gave it, and what the agent said."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        project.mkdir()
        path = project / "shop.py"
        path.write_text(SOURCE)
        own = client.steps(str(path))
        straight = _run(client, folder, own[:1])
        steps = [*client.waits, *((client.tool.format(tool), given) for tool, given in THROUGH_MCP)] if mcp else own
        model = Model(client.api, steps)
        try:
            if mcp:
                said = _start(client, mcp, folder, model.url)
            else:
                with proxy(model.url, folder) as url:
                    said = _start(client, mcp, folder, url)
        finally:
            model.close()
        results = model.results()[len(steps) - 2 :]
        return path.read_text() == ASKED, results[0] if results else "", len(straight), said


def _run(client: Client, folder: Path, steps: Steps) -> str:
    """What the model reads of the file with nothing between them."""
    model = Model(client.api, steps)
    try:
        _start(client, False, folder, model.url)
    finally:
        model.close()
    return next(iter(model.results()), "")


def _start(client: Client, mcp: bool, folder: Path, url: str) -> str:
    project = folder / "project"
    for place, text in client.files(url, mcp).items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("PROJECT", str(project)))
    (folder / "home").mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(folder / "home"), "PWD": str(project), **client.variables(url)}
    done = subprocess.run(
        client.command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=170
    )
    return done.stdout + done.stderr


def main() -> int:
    """Run the agents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"of {', '.join(CLIENTS)}; by default those that are found")
    options = parser.parse_args()
    print("| agent | through | file as asked | read |\n| --- | --- | --- | ---: |")
    wrong = 0
    for name in options.clients or [name for name in CLIENTS if shutil.which(name)]:
        client = CLIENTS[name]
        version = subprocess.run([name, "--version"], capture_output=True, text=True, timeout=60).stdout.split("\n")[0]
        for mcp in (False, True):
            right, read, length, said = run(client, mcp)
            through = "`simpy mcp`" if mcp else f"`simpy serve`, `{client.api}`"
            print(f"| {name} {version} | {through} | {'yes' if right else 'no'} | {100 * len(read) / (length or 1):.0f} % |", flush=True)
            if not right:
                wrong += 1
                print(said, read, sep="\n", file=sys.stderr)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
