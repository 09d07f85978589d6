"""The ways into other programs: the plugin for Claude Code, the entry for the MCP registry, the configuration files in `examples/`.

Files are held to the formats of those who read them, and what they start is started. Where a client is on the PATH, it is run with these
files, and a script plays the model. The clients are too large for the development extra:

    pip install aider-chat                               in an environment of its own
    pip install '.[litellm]' 'litellm[proxy]'            in another one
    npm install @anthropic-ai/claude-code @continuedev/cli
    PATH=FIRST/bin:SECOND/bin:node_modules/.bin:$PATH .venv/bin/python -m pytest -n0 tests/test_integrations.py
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

for _library in ("mcp", "httpx", "uvicorn", "starlette", "yaml"):
    pytest.importorskip(_library, reason="what the integrations need is not installed")

import httpx  # noqa: E402  # after the libraries that may be missing
import yaml  # noqa: E402  # as above
from mcp import Client, StdioServerParameters  # noqa: E402  # as above

from benchmarks.agent_clients import ASKED, NEW, OLD, SOURCE, THROUGH_MCP, Model  # noqa: E402  # as above
from dualcode.engines import ENGINES, EngineGrammar  # noqa: E402  # as above
from simpy_cli.serve_options import OPTIONS  # noqa: E402  # as above
from simpy_mcp.tools import TOOLS  # noqa: E402  # as above
from tests.api_answers import CHAT, MESSAGES  # noqa: E402  # as above
from tests.scripted_upstream import chat_answer, proxy_server, upstream_server  # noqa: E402  # as above
from transpiler.views import KINDS  # noqa: E402  # as above

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PLUGIN = ROOT / "plugin"
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[\w.]+)?")
LONG = 170  # seconds that a client may take before the test fails


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def read_yaml(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def started(words: list[str]) -> list[str]:
    """The command that starts what the project installs as `simpy`, from this folder."""
    assert words[0] in PROJECT["scripts"] and PROJECT["scripts"][words[0]] == "simpy_cli.main:main"
    return [sys.executable, "-m", "simpy_cli", *words[1:]]


def tools_of(words: list[str], folder: Path) -> list[str]:
    """The tools that an MCP server lists, which is started in a folder and has to read a file there."""
    (folder / "shop.py").write_text(SOURCE)
    command, *arguments = started(words)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    async def ask() -> list[str]:
        async with Client(StdioServerParameters(command=command, args=arguments, cwd=folder, env=environment)) as client:
            answer = await client.call_tool("read_code", {"path": "shop.py"})
            assert not answer.is_error and "class Shop:" in answer.content[0].text
            return [tool.name for tool in (await client.list_tools()).tools]

    return asyncio.run(ask())


# The plugin for Claude Code.


def test_the_manifest_of_the_plugin_is_whole() -> None:
    manifest = read_json(PLUGIN / ".claude-plugin" / "plugin.json")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", manifest["name"])
    assert manifest["version"] == PROJECT["version"], "set the version in plugin/.claude-plugin/plugin.json, too"
    assert SEMANTIC.fullmatch(manifest["version"])
    assert manifest["description"] and manifest["author"]["name"] == PROJECT["authors"][0]["name"]
    assert manifest["license"] == PROJECT["license"]
    assert not any((PLUGIN / ".claude-plugin" / name).exists() for name in (".mcp.json", "skills")), "they stand beside that folder"


def test_the_marketplace_offers_the_plugin() -> None:
    market = read_json(ROOT / ".claude-plugin" / "marketplace.json")
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", market["name"]) and market["owner"]["name"]
    (entry,) = market["plugins"]
    assert (ROOT / entry["source"]).resolve() == PLUGIN and entry["source"].startswith("./")
    manifest = read_json(PLUGIN / ".claude-plugin" / "plugin.json")
    assert {name: entry[name] for name in ("name", "description")} == {name: manifest[name] for name in ("name", "description")}
    assert f"/plugin install {entry['name']}@{market['name']}" in PAGE


def test_the_server_of_the_plugin_starts_in_the_project_and_lists_its_tools(tmp_path: Path) -> None:
    (server,) = read_json(PLUGIN / ".mcp.json")["mcpServers"].values()
    assert set(server) == {"command", "args"}
    assert tools_of([server["command"], *server["args"]], tmp_path) == list(TOOLS)


def test_the_skill_of_the_plugin_names_what_there_is() -> None:
    (path,) = (PLUGIN / "skills").glob("*/SKILL.md")
    opening, text = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    front = yaml.safe_load(opening)
    assert set(front) == {"name", "description"}
    assert front["name"] == path.parent.name and re.fullmatch(r"[a-z0-9-]{1,64}", front["name"])
    assert 0 < len(front["description"]) <= 1024
    words = re.findall(r"`([a-z_]+)[`:=]", front["description"] + text)
    known = {*TOOLS, *(name for tool in TOOLS.values() for name in tool.parameters), "simpy"}
    assert set(words) <= known and {"read_code", "edit_code"} <= set(words)
    assert set(re.findall(r'view: \["([^"]*)"\]', text)) <= set(KINDS)


# The entry for the registry of MCP servers.


def test_the_entry_for_the_registry_is_whole() -> None:
    entry = read_json(ROOT / "server.json")
    assert entry["$schema"] == "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"]) and 3 <= len(entry["name"]) <= 200
    assert 1 <= len(entry["description"]) <= 100 and 1 <= len(entry["title"]) <= 100
    assert entry["version"] == PROJECT["version"], "set the version in server.json, too, where it stands three times"
    (package,) = entry["packages"]
    assert (package["registryType"], package["registryBaseUrl"]) == ("pypi", "https://pypi.org")
    assert (package["identifier"], package["version"]) == (PROJECT["name"], PROJECT["version"])
    assert package["transport"] == {"type": "stdio"} and package["runtimeHint"] == "uvx"
    for argument in (*package["runtimeArguments"], *package["packageArguments"]):
        assert argument["type"] == "named" and argument["name"] or argument["type"] == "positional" and {"value", "valueHint"} & {*argument}


def test_the_readme_of_the_package_names_the_entry() -> None:
    name = read_json(ROOT / "server.json")["name"]
    readme = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert re.findall(r"mcp-name: (\S+)", readme) == [name], "the registry looks for the name of server.json in the README on PyPI"
    assert f"`{name}`" in PAGE


def test_the_entry_starts_the_server(tmp_path: Path) -> None:
    """A client runs `uvx`, the runtime arguments, the identifier with its version, which is the name of a script too, and its arguments."""
    (package,) = read_json(ROOT / "server.json")["packages"]
    assert [(one["name"], one["value"]) for one in package["runtimeArguments"]] == [
        ("--with", f"{PROJECT['name']}[mcp]=={PROJECT['version']}")
    ]
    assert "mcp" in PROJECT["optional-dependencies"]
    words = [one.get("value") or str(tmp_path) for one in package["packageArguments"]]
    assert tools_of([package["identifier"], *words], tmp_path) == list(TOOLS)


# Configuration files.


def test_every_file_is_on_the_page_and_every_address_is_a_default() -> None:
    names = ["aider.conf.yml", "continue.yaml", "cursor_mcp.json", "litellm.yaml", "vllm_serve.sh"]
    assert [name for name in names if f"| `examples/{name}` |" not in PAGE] == []
    default = {option.name: option.default for option in OPTIONS}
    addresses = {f"http://{default['host']}:{default['port']}/v1", "http://127.0.0.1:8000/v1"}  # the second is vLLM's
    texts = {name: (EXAMPLES / name).read_text(encoding="utf-8") for name in names}
    found = {name: re.findall(r"http://127\.0\.0\.1:[\w/]*", text) for name, text in {**texts, "page": PAGE}.items()}
    assert {address for some in found.values() for address in some} == addresses
    assert all(found[name] for name in ("aider.conf.yml", "continue.yaml", "vllm_serve.sh"))


def test_the_file_for_aider() -> None:
    settings = read_yaml("aider.conf.yml")
    assert set(settings) == {"openai-api-base", "model", "weak-model", "edit-format"}
    assert settings["edit-format"] == "whole"
    assert all(settings[name].startswith("openai/") for name in ("model", "weak-model"))


def test_the_file_for_continue() -> None:
    settings = read_yaml("continue.yaml")
    assert settings["schema"] == "v1" and settings["name"] and settings["version"]
    (model,) = settings["models"]
    assert model["provider"] == "openai" and model["name"] and model["model"] and model["roles"] == ["chat"]
    (server,) = settings["mcpServers"]
    assert server == {"name": "simpy", **read_json(PLUGIN / ".mcp.json")["mcpServers"]["simpy"]}


def test_the_file_for_cursor_is_what_the_page_of_the_server_says() -> None:
    settings = read_json(EXAMPLES / "cursor_mcp.json")
    page = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    assert settings in [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)]


def test_the_file_for_litellm_names_the_class_and_its_options() -> None:
    settings = read_yaml("litellm.yaml")
    (guardrail,) = settings["guardrails"]
    options = guardrail["litellm_params"]
    module, _, name = options.pop("guardrail").rpartition(".")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    (made,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    (init,) = (node for node in made.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    own = [argument.arg for argument in init.args.args[1:]]
    assert options.pop("mode") == ["pre_call", "post_call"] and options.pop("default_on") is True
    assert set(options) <= set(own)


def test_the_script_for_vllm_starts_what_there_is(tmp_path: Path) -> None:
    """Stand-ins for both servers write down how they are started; the proxy's ends when vLLM's has written."""
    script = EXAMPLES / "vllm_serve.sh"
    assert os.access(script, os.X_OK)
    wait = f"for _ in $(seq 400); do [ -s {tmp_path}/vllm.words ] && exit; sleep 0.05; done; exit 1\n"
    for name, then in (("vllm", ""), ("simpy", wait)):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/{name}.words\n{then}')
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([script, "model", "dense"], env=environment, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stderr
    vllm, simpy = ((tmp_path / f"{name}.words").read_text().split() for name in ("vllm", "simpy"))
    assert vllm == ["serve", "model", "--port", "8000", "--structured-outputs-config.backend", "guidance"]
    assert simpy[:2] == ["serve", "--upstream"] and simpy[2] == "http://127.0.0.1:8000/v1"
    given = dict(zip(simpy[3::2], simpy[4::2], strict=True))
    assert set(given) == {"--dialect", "--constrain"} and given["--constrain"] in ENGINES
    assert EngineGrammar(given["--constrain"], given["--dialect"]).fields
    assert subprocess.run([script], env=environment, capture_output=True, timeout=LONG).returncode != 0


def test_the_fields_for_vllm_reach_it() -> None:
    fields = json.loads(re.findall(r"^```json\n(\{\"skip_special_tokens.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0])
    assert fields == {"skip_special_tokens": False, "spaces_between_special_tokens": False}
    with upstream_server() as (upstream, url), proxy_server(url, dialect="dense", constrain="vllm") as proxy:
        upstream.reply = chat_answer("```python\n<def_stmt>f a<return>a}\n```\n")
        body = {"model": "m", "messages": [{"role": "user", "content": "Write f."}], **fields}
        answer = httpx.post(f"{proxy}/chat/completions", json=body, timeout=LONG).json()
        assert {name: upstream.seen[-1].json[name] for name in fields} == fields
        assert answer["choices"][0]["message"]["content"] == "```python\ndef f(a):\n    return a\n```\n"


# The clients themselves.


def client(name: str) -> str:
    """Where a client is.

    Skips the test if it is nowhere.
    """
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on the PATH")
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one file, beside a home folder and a `simpy` for the clients."""
    for name in ("project", "home", "bin"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "shop.py").write_text(SOURCE)
    (tmp_path / "bin" / "simpy").write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m simpy_cli "$@"\n')
    (tmp_path / "bin" / "simpy").chmod(0o755)
    return tmp_path / "project"


def run(words: list[str], project: Path, **variables: str) -> str:
    """What a client prints that is run in a project."""
    beside = {"HOME": str(project.parent / "home"), "PATH": f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | beside | {"PWD": str(project), **variables}
    done = subprocess.run(
        words, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG, errors="replace"
    )
    return done.stdout + done.stderr


@contextmanager
def script(api: str, steps: list[tuple[str, dict[str, Any]]]) -> Iterator[Model]:
    """A model that asks for calls of tools, one after another."""
    model = Model(api, steps)
    try:
        yield model
    finally:
        model.close()


@pytest.mark.parametrize("answer", ["whole", "diff"])
def test_aider(answer: str, project: Path) -> None:
    """Whole files come back as Python. What a SEARCH block quotes stays in the spelling of the model, and aider refuses it."""
    aider = client("aider")
    shown = "class Shop:\n def total(self,names):return sum(self.prices.get(name,0)for name in names)\n"
    block = f"<<<<<<< SEARCH\n{OLD}\n=======\n{NEW}\n>>>>>>> REPLACE\n"
    text = {"whole": f"shop.py\n```\n{shown}```\n", "diff": f"shop.py\n```python\n{block}```\n"}[answer]
    with upstream_server() as (upstream, url), proxy_server(url) as proxy:
        upstream.reply = chat_answer(text)
        options = ["--config", str(EXAMPLES / "aider.conf.yml"), "--openai-api-base", proxy, "--edit-format", answer]
        quiet = ["--no-git", "--yes", "--no-stream", "--no-pretty", "--no-check-update", "--no-show-model-warnings", "--analytics-disable"]
        said = run([aider, *options, *quiet, "--message", "Go.", "shop.py"], project, OPENAI_API_KEY="k")
    sent = upstream.seen[0].json["messages"]
    assert any(" def __init__(self,prices):self.prices=dict(prices)# a copy\n" in message["content"] for message in sent), said
    after = (project / "shop.py").read_text()
    if answer == "whole":
        assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(shown)) and "    def total(self, names):\n        return" in after, said
    else:
        assert after == SOURCE and "SearchReplaceNoExactMatch" in said, said


def test_continue(project: Path) -> None:
    """The proxy converts what is fenced in the prompt, and the tools of the server are offered and used."""
    cn = client("cn")
    settings = project.parent / "continue.yaml"
    with script(CHAT, THROUGH_MCP) as model, proxy_server(f"{model.url}/v1") as proxy:
        text = (EXAMPLES / "continue.yaml").read_text(encoding="utf-8")
        settings.write_text(re.sub(r"(?<=apiBase: )\S+", proxy, text))
        words = [cn, "--config", str(settings), "--auto", "-p", f"Go.\n```python\n{SOURCE}```\n"]
        said = run(words, project, OPENAI_API_KEY="k", CONTINUE_TELEMETRY_ENABLED="0")
    assert any("self.prices=dict(prices)# a copy" in str(message["content"]) for message in model.requests[0]["messages"]), said
    assert (project / "shop.py").read_text() == ASKED, (said, model.results())
    offered = {tool["function"]["name"] for body in model.requests for tool in body.get("tools", [])}
    assert set(TOOLS) <= offered, said


@pytest.mark.parametrize("installed", [False, True], ids=["from the folder", "from the marketplace"])
def test_claude_code(installed: bool, project: Path) -> None:
    claude = client("claude")
    (project.parent / "home" / ".claude.json").write_text(json.dumps({"projects": {str(project): {"hasTrustDialogAccepted": True}}}))
    for path in (PLUGIN, ROOT):
        assert "Validation passed" in run([claude, "plugin", "validate", "--strict", str(path)], project)
    if installed:
        for words in (["marketplace", "add", str(ROOT)], ["install", "simpy@simpy"]):
            assert "Successfully" in run([claude, "plugin", *words], project)
    calls = [(f"mcp__plugin_simpy_simpy__{name}", given) for name, given in THROUGH_MCP]
    with script(MESSAGES, [*[("WaitForMcpServers", {})] * 3, *calls]) as model:
        words = [claude, "-p", "Go.", "--model", "claude-sonnet-4-5", "--permission-mode", "acceptEdits"]
        words += ["--allowedTools", " ".join(name for name, _ in calls), *([] if installed else ["--plugin-dir", str(PLUGIN)])]
        variables = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        said = run(words, project, **variables)
    assert (project / "shop.py").read_text() == ASKED, (said, model.results())
    assert any("python-files" in json.dumps(body) for body in model.requests), "the skill is not offered"


def test_litellm(tmp_path: Path) -> None:
    litellm = client("litellm")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    key = "sk-" + "0123456789abcdef" * 4
    with upstream_server() as (upstream, url):
        upstream.reply = chat_answer("```python\ndef f(a):return [a,1]\n```\n")
        beside = {
            "UPSTREAM": url,
            "UPSTREAM_KEY": "k",
            "LITELLM_MASTER_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PYTHONPATH": str(ROOT),
        }
        words = [litellm, "--config", str(EXAMPLES / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
        log = (tmp_path / "log").open("w+")
        process = subprocess.Popen(words, cwd=tmp_path, env={**os.environ, **beside}, stdout=log, stderr=log)
        try:
            end = time.monotonic() + LONG
            while not alive(f"http://127.0.0.1:{port}/health/liveliness"):
                assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
                time.sleep(0.2)
            body = {"model": "m", "messages": [{"role": "user", "content": "```python\ndef f( a ):\n    return  a\n```\n"}]}
            headers = {"authorization": f"Bearer {key}"}
            answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=headers, timeout=LONG).json()
        finally:
            process.kill()
            process.wait(LONG)
            log.close()
    assert upstream.seen[-1].json["messages"][0]["content"] == "```python\ndef f(a):return a\n```\n"
    assert answer["choices"][0]["message"]["content"] == "```python\ndef f(a):\n    return [a, 1]\n```\n"


def alive(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
