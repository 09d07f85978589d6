"""`simpy mcp` as a process, driven by the client of the official SDK over each transport: what is read, edited and refused."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

for _library in ("mcp", "pathspec"):
    pytest.importorskip(_library, reason="the extra mcp is not installed")

from mcp import Client, StdioServerParameters  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
LONG = 60
SHOP = '''"""A shop."""

RATE = 0.2  # of the net price


class Shop:
    # in cents
    def total(self, net):
        "With tax."
        gross = (net +
                 net * RATE)  # not rounded
        return gross

    def refund(self, net):
        return net
'''
STDIO, MODERN, LEGACY = "stdio", "http", "http with sessions"
EVERY = pytest.mark.parametrize("transport", [STDIO, MODERN, LEGACY])
WITH_SESSIONS = pytest.mark.parametrize("transport", [STDIO, LEGACY])


class Tools:
    """The tools of a server, as a client calls them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, name: str, **arguments: Any) -> tuple[bool, list[str]]:
        """Whether a call failed, and its texts."""
        result = await self.client.call_tool(name, arguments)
        assert result.structured_content is None, "the answer would be sent twice"
        return result.is_error, [block.text for block in result.content]

    async def done(self, name: str, **arguments: Any) -> str:
        failed, texts = await self.call(name, **arguments)
        assert not failed, texts
        return "\n".join(texts)

    async def refused(self, name: str, **arguments: Any) -> str:
        failed, texts = await self.call(name, **arguments)
        assert failed, texts
        return "\n".join(texts)


@contextmanager
def http_server(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a server."""
    words = [sys.executable, "-m", "simpy_cli", "mcp", str(folder), "--transport", "http", "--port", "0", *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/mcp", first)
        assert found, first + process.stderr.read()
        yield found[0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONG) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate(timeout=LONG)


@asynccontextmanager
async def connected(where: Path | str, *options: str, sessions: bool = False) -> AsyncIterator[Tools]:
    """A client of a server of its own in a folder, or of one at a URL."""
    if isinstance(where, Path):
        words = ["-m", "simpy_cli", "mcp", str(where), *options, "-q"]
        server: Any = StdioServerParameters(command=sys.executable, args=words, cwd=ROOT, env=ENVIRONMENT)
    else:
        server = where
    async with Client(server, mode="legacy" if sessions else "auto") as client:
        yield Tools(client)


def drive(transport: str, folder: Path, work: Callable[[Tools], Awaitable[None]], *options: str) -> None:
    """Do some work as a client of a server."""

    async def run(where: Path | str) -> None:
        failed = None
        async with connected(where, *options, sessions=transport == LEGACY) as tools:
            try:
                await work(tools)
            except AssertionError as error:  # raised outside, where it is not wrapped into groups
                failed = error
        if failed is not None:
            raise failed

    if transport == STDIO:
        asyncio.run(run(folder))
        return
    with http_server(folder, *options) as url:
        options = ()
        asyncio.run(run(url))


def handle(answer: str) -> str:
    found = re.search(r"seen=(\w+)", answer)
    assert found, answer
    return found[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(Path(json.__file__).parent, folder / "json", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    (folder / "broken.py").write_text("def f(:\n    pass\n", encoding="utf-8")
    return folder


# ------------------------------------------------------------------------------------------------------- every tool


@EVERY
def test_every_tool(transport: str, project: Path) -> None:
    async def work(tools: Tools) -> None:
        listed = await tools.client.list_tools()
        assert [tool.name for tool in listed.tools] == ["read_code", "edit_code", "check_code", "count_tokens"]
        assert [tool.annotations.read_only_hint for tool in listed.tools if tool.annotations] == [True, False, True, True]
        shown = await tools.done("read_code", path="shop.py", symbol="Shop.total")
        assert '8:def total(self,net):\n\t"With tax.";gross=net+net*RATE# not rounded\n\treturn gross' in shown
        assert "seen=" in shown and "left out: " in shown
        changed = await tools.done("edit_code", path="shop.py", old="net+net*RATE", new="net*(1+RATE)")
        assert changed.startswith("shop.py: changed lines 10-11") or changed.startswith("shop.py: changed line 10")
        assert await tools.done("check_code", path="shop.py") == "shop.py: parses"
        assert await tools.done("check_code", text="x = = 1") == "<text>:1:5: error: invalid syntax\n  x = = 1\n      ^"
        assert await tools.done("check_code", text="<return>x", dialect="classic") == "<text>: parses"
        counted = await tools.done("count_tokens", text="def f(a):\n    return a\n")
        assert re.fullmatch(
            r"python \d+, compact \d+, classic \d+, dense \d+, dense-newline \d+\nestimated for cl100k_base, within \d+ %", counted
        )

    drive(transport, project, work)
    text = (project / "shop.py").read_text(encoding="utf-8")
    assert "(1 + RATE)" in text and "# not rounded" in text and "# in cents" in text
    expected = ast.parse(SHOP.replace("net +\n                 net * RATE", "net * (1 + RATE)"))
    assert ast.dump(ast.parse(text)) == ast.dump(expected)


def test_a_real_package_is_read_and_edited(project: Path) -> None:
    """Each function of the package is read and sent back with one statement more; all else keeps every byte."""
    path = project / "json" / "decoder.py"
    before = path.read_bytes().decode("utf-8")
    names = [node.name for node in ast.parse(before).body if isinstance(node, ast.FunctionDef)]
    assert len(names) >= 4

    async def work(tools: Tools) -> None:
        assert "json/decoder.py" in (await tools.done("read_code", path="json")).split("\n")
        for name in names:
            shown = (await tools.call("read_code", path="json/decoder.py", symbol=name, numbers="none"))[1][0]
            header, colon, body = shown.partition("):")
            one_line = not body.startswith("\n")
            new = f"{header}):\n\tprint({name!r})" + ("\n\t" if one_line else "") + body
            await tools.done("edit_code", path="json/decoder.py", symbol=name, new=new)

    drive(STDIO, project, work)
    after = path.read_bytes().decode("utf-8")
    lines = after.splitlines(keepends=True)
    added = [line for line in lines if line.strip().startswith("print(")]
    assert len(added) == len(names)
    docstrings_moved = {node.name for node in ast.parse(before).body if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)}
    assert "".join(line for line in lines if line not in added) == before, docstrings_moved


def test_what_tools_cost() -> None:
    """What every conversation pays for them, by the built-in estimate."""
    from simpy_mcp.tools import INSTRUCTIONS, TOOLS
    from tokenizer_ext.counting import TokenCounter

    listed = [{"name": name, "description": tool.description, "input_schema": tool.schema()} for name, tool in TOOLS.items()]
    tokens = TokenCounter(None).count_text(json.dumps(listed, separators=(",", ":")) + INSTRUCTIONS, "python")
    print(f"{tokens} tokens")
    assert tokens <= 620


# ---------------------------------------------------------------------------------------------------- what was seen


@WITH_SESSIONS
def test_a_rewritten_text_is_merged_with_what_others_changed(transport: str, project: Path) -> None:
    path = project / "shop.py"

    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="shop.py", view=["no-comments"]))[1][0]
        path.write_text(SHOP.replace("return net\n", "return -net\n"), encoding="utf-8")
        await tools.done("edit_code", path="shop.py", text=shown.replace("RATE=0.2", "RATE=0.19"))
        # The session knows its own edit, and not that of the other one.
        await tools.done("edit_code", path="shop.py", text=re.sub(r"\d+:(?=def|class|\tdef)", "", shown).replace("RATE=0.2", "RATE=0.21"))

    drive(transport, project, work)
    assert path.read_text(encoding="utf-8") == SHOP.replace("return net\n", "return -net\n").replace("0.2 ", "0.21 ")


def test_two_sessions_have_seen_different_things(project: Path) -> None:
    path = project / "shop.py"

    async def run(url: str) -> None:
        async with connected(url, sessions=True) as one, connected(url, sessions=True) as two:
            whole = (await one.call("read_code", path="shop.py", numbers="none"))[1][0]
            signatures = (await two.call("read_code", path="shop.py", view=["signatures"], numbers="none"))[1][0]
            assert "return" in whole and "return" not in signatures
            # What the one did not see stays; what the other saw and left out goes.
            await two.done("edit_code", path="shop.py", text=signatures.replace("refund(self,net)", "refund(self,net,why)"))
            assert path.read_text(encoding="utf-8") == SHOP.replace("refund(self, net)", "refund(self, net, why)")
            without = whole[: whole.index("\n\tdef refund")]
            # It deletes what the other has changed.
            assert "changed on both sides" in await one.refused("edit_code", path="shop.py", text=without)

    with http_server(project) as url:
        asyncio.run(run(url))
    assert path.read_text(encoding="utf-8") == SHOP.replace("refund(self, net)", "refund(self, net, why)")


def test_without_sessions_the_handle_says_what_was_seen(project: Path) -> None:
    path = project / "shop.py"

    async def work(tools: Tools) -> None:
        shown, note = (await tools.call("read_code", path="shop.py", view=["no-comments"], numbers="none"))[1]
        new = shown.replace("RATE=0.2", "RATE=0.3")
        assert "is not known" in await tools.refused("edit_code", path="shop.py", text=new)
        assert "no reading 'abc'" in await tools.refused("edit_code", path="shop.py", text=new, seen="abc")
        assert path.read_text(encoding="utf-8") == SHOP
        changed = await tools.done("edit_code", path="shop.py", text=new, seen=handle(note))
        await tools.done("edit_code", path="shop.py", text=new.replace("0.3", "0.4"), seen=handle(changed))

    drive(MODERN, project, work)
    assert path.read_text(encoding="utf-8") == SHOP.replace("0.2", "0.4")


@EVERY
def test_a_piece_that_was_rewritten_goes_back_to_its_place(transport: str, project: Path) -> None:
    """With ``lines=``, though the file has grown above; comments and line breaks that were not shown stay."""
    path = project / "shop.py"

    async def work(tools: Tools) -> None:
        shown, note = (await tools.call("read_code", path="shop.py", lines="10-12", view=["no-comments"]))[1]
        assert shown == "gross=net+net*RATE\nreturn gross"
        path.write_text("import os\n" + SHOP, encoding="utf-8")
        await tools.done("edit_code", path="shop.py", text=shown.replace("return gross", "return round(gross)"), seen=handle(note))

    drive(transport, project, work)
    assert path.read_text(encoding="utf-8") == "import os\n" + SHOP.replace("return gross", "return round(gross)")


def test_several_readings_are_not_guessed_among(project: Path) -> None:
    async def work(tools: Tools) -> None:
        first = handle(await tools.done("read_code", path="shop.py"))
        second = handle(await tools.done("read_code", path="shop.py", view=["signatures"]))
        message = await tools.refused("edit_code", path="shop.py", text="x=1")
        assert first in message and second in message and "(signatures, compact)" in message

    drive(STDIO, project, work)
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP


def test_a_symbol_is_never_taken_for_the_whole(project: Path) -> None:
    async def work(tools: Tools) -> None:
        whole = handle(await tools.done("read_code", path="shop.py"))
        message = await tools.refused("edit_code", path="shop.py", symbol="Shop.refund", new="def refund(self): pass", seen=whole)
        assert "is not a reading of 'Shop.refund'" in message

    drive(STDIO, project, work)
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP


def test_only_a_piece_was_read(project: Path) -> None:
    """A whole text is never taken for the piece."""

    async def work(tools: Tools) -> None:
        shown = handle(await tools.done("read_code", path="shop.py", symbol="Shop.refund"))
        assert shown in await tools.refused("edit_code", path="shop.py", text="def refund(self, net): return 0")
        await tools.done("edit_code", path="shop.py", text="def refund(self, net): return 0", seen=shown)

    drive(STDIO, project, work)
    assert ast.dump(ast.parse((project / "shop.py").read_text())) == ast.dump(ast.parse(SHOP.replace("return net\n", "return 0\n")))


# ------------------------------------------------------------------------------------------------ conflicts and errors


@WITH_SESSIONS
def test_a_conflict_shows_the_place_as_it_is_now(transport: str, project: Path) -> None:
    path = project / "shop.py"
    theirs = "import os\n" + SHOP.replace("return gross", "return abs(gross)")

    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="shop.py", numbers="none"))[1][0]
        path.write_text(theirs, encoding="utf-8")
        message = await tools.refused("edit_code", path="shop.py", old="return gross", new="return 0")
        assert message.startswith("shop.py: error: the file has changed since it was read")
        assert "\n13:        return abs(gross)\n" in message
        message = await tools.refused("edit_code", path="shop.py", text=shown.replace("return gross", "return 0"))
        assert message.startswith("shop.py: error: this place was changed on both sides\nhint: the place is now:\n")
        assert "\n13:        return abs(gross)\n" in message

    drive(transport, project, work)
    assert path.read_text(encoding="utf-8") == theirs


@EVERY
def test_refused_edits_say_why_and_write_nothing(transport: str, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}

    async def work(tools: Tools) -> None:
        message = await tools.refused("edit_code", path="shop.py", old="self, net", new="self")
        assert "2 places: line 8 in Shop.total, line 14 in Shop.refund" in message
        assert "does not stand" in await tools.refused("edit_code", path="shop.py", old="no such code", new="x")
        assert "in Shop.refund" in await tools.refused("edit_code", path="shop.py", old="return gross", new="x", within="Shop.refund")
        assert "broken.py:1:" in await tools.refused("read_code", path="broken.py")
        assert "broken.py:1:" in await tools.done("check_code", path="broken.py")
        assert "broken.py:1:" in await tools.refused("edit_code", path="broken.py", old="pass", new="return")
        assert "error: " in await tools.refused("edit_code", path="shop.py", old="return gross", new="return (")
        assert "empty" in await tools.refused("edit_code", path="shop.py", old="", new="x")
        assert "nothing is called 'Shop.totl'" in await tools.refused("edit_code", path="shop.py", symbol="Shop.totl", new="x")
        assert "hint: did you mean Shop.total" in await tools.refused("read_code", path="shop.py", symbol="Shop.totl")
        assert "cannot edit by new, text" in await tools.refused("edit_code", path="shop.py", new="x", text="y")
        assert "not a patch" in await tools.refused("edit_code", patch="hello")
        assert "path is missing" in await tools.refused("edit_code", old="x", new="y")
        assert "path is missing" in await tools.refused("read_code")
        assert "give either path or text" in await tools.refused("count_tokens")
        assert "near is not an integer" in await tools.refused("edit_code", path="shop.py", old="x", new="y", near="z")
        assert "numbers cannot be 'some'" in await tools.refused("read_code", path="shop.py", numbers="some")
        assert "no parameter 'file'" in await tools.refused("read_code", file="shop.py")
        assert "no view 'short'" in await tools.refused("read_code", path="shop.py", view="short")
        assert "no tool 'remove'" in await tools.refused("remove")

    drive(transport, project, work)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_file_that_has_vanished(project: Path) -> None:
    async def work(tools: Tools) -> None:
        seen = handle(await tools.done("read_code", path="shop.py"))
        (project / "shop.py").unlink()
        for arguments in ({"text": "x=1"}, {"old": "x", "new": "y"}, {"symbol": "Shop", "new": ""}, {"text": "x=1", "seen": seen}):
            assert await tools.refused("edit_code", path="shop.py", **arguments) == "shop.py: error: no such file or directory"

    drive(STDIO, project, work)
    assert not (project / "shop.py").exists()


def test_a_place_is_told_by_its_line_or_its_definition(project: Path) -> None:
    async def work(tools: Tools) -> None:
        await tools.done("edit_code", path="shop.py", old="self, net", new="self, net, tax", near="8")
        await tools.done("edit_code", path="shop.py", old="\tdef refund(self,net):", new="\tdef refund(self,net,why):")
        await tools.done("edit_code", path="shop.py", old="14:\tdef refund(self,net,why):", new="14:\tdef refund(self,gross):")

    drive(STDIO, project, work)
    expected = SHOP.replace("total(self, net)", "total(self, net, tax)").replace("refund(self, net)", "refund(self, gross)")
    assert (project / "shop.py").read_text(encoding="utf-8") == expected


def test_a_symbol_that_was_not_read_is_replaced_and_keeps_the_comments_above(project: Path) -> None:
    async def work(tools: Tools) -> None:
        await tools.done("edit_code", path="shop.py", symbol="Shop.total", new="def total(self, net):\n    return 7")
        await tools.done("edit_code", path="shop.py", symbol="Shop.refund", new="")

    drive(STDIO, project, work)
    assert (
        (project / "shop.py")
        .read_text(encoding="utf-8")
        .endswith("class Shop:\n    # in cents\n    def total(self, net):\n        return 7\n")
    )


# --------------------------------------------------------------------------------------------------- patches and new files


@EVERY
def test_patches(transport: str, project: Path) -> None:
    blocks = "shop.py\n<<<<<<< SEARCH\nRATE=0.2\n=======\nRATE=0.3\n>>>>>>> REPLACE\n"
    patch = (
        "*** Begin Patch\n*** Update File: shop.py\n@@\n-        return net\n+        return 0\n"
        "*** Add File: new.py\n+x = 1\n*** End Patch\n"
    )
    outside = "--- a/../secret.py\n+++ b/../secret.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    deleting = "*** Begin Patch\n*** Delete File: shop.py\n*** End Patch\n"
    half = blocks.replace("0.2", "0.3").replace("=0.3\n>", "=0.4\n>") + "shop.py\n<<<<<<< SEARCH\nno\n=======\nyes\n>>>>>>> REPLACE\n"
    (project.parent / "secret.py").write_text("x = 1\n")

    async def work(tools: Tools) -> None:
        assert await tools.done("edit_code", patch=blocks) == "shop.py: changed"
        assert await tools.done("edit_code", patch=patch) == "shop.py: changed\nnew.py: new file"
        assert "outside" in await tools.refused("edit_code", patch=outside)
        assert "may not delete" in await tools.refused("edit_code", patch=deleting)
        assert "change 2 of 2" in await tools.refused("edit_code", patch=half)

    drive(transport, project, work)
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP.replace("0.2", "0.3").replace("return net\n", "return 0\n")
    assert (project / "new.py").read_text() == "x = 1\n"
    assert (project.parent / "secret.py").read_text() == "x = 1\n"


def test_new_files(project: Path) -> None:
    async def work(tools: Tools) -> None:
        assert (await tools.done("edit_code", path="sub/compact.py", text="def f(a):\n\tx=a;return x")).startswith(
            "sub/compact.py: new file"
        )
        await tools.done("edit_code", path="plain.py", text="def f(a):\n\n    return  a\n")
        await tools.done("edit_code", path="plain.py", text="def f(a, b):\n    return  a\n")
        assert "error" in await tools.refused("edit_code", path="wrong.py", text="def f(")
        assert "git ignores" in await tools.refused("edit_code", path="__pycache__/x.py", text="x = 1")

    drive(STDIO, project, work)
    assert (project / "sub" / "compact.py").read_text() == "def f(a):\n    x = a\n    return x\n"
    assert (project / "plain.py").read_text() == "def f(a, b):\n\n    return  a\n"
    assert not (project / "wrong.py").exists() and not (project / "__pycache__").exists()


# ------------------------------------------------------------------------------------------------------------- paths


@EVERY
def test_nothing_outside_is_read_or_written(transport: str, project: Path) -> None:
    secret = project.parent / "secret.py"
    secret.write_text("secret = 1\n")
    sibling = project.parent / "project2"
    sibling.mkdir()
    (sibling / "secret.py").write_text("secret = 1\n")
    (project / "link.py").symlink_to(secret)
    (project / "links").symlink_to(sibling)
    (project / "loop.py").symlink_to(project / "loop.py")
    (project / "inside.py").symlink_to(project / "shop.py")
    os.mkfifo(project / "pipe.py")
    outside = ["../secret.py", "json/../../secret.py", str(secret), "link.py", "links/secret.py", "../project2/secret.py", "/etc/passwd"]

    async def work(tools: Tools) -> None:
        for path in [*outside, "../no-such.py", "~/x.py/../../../secret.py"]:
            for name, arguments in (
                ("read_code", {}),
                ("check_code", {}),
                ("count_tokens", {}),
                ("edit_code", {"old": "secret = 1", "new": "x"}),
                ("edit_code", {"text": "x = 1"}),
            ):
                message = await tools.refused(name, path=path, **arguments)
                assert "outside of the folders" in message and "secret = 1" not in message
        assert "not a path" in await tools.refused("read_code", path="shop.py\0.txt")
        assert "not a path" in await tools.refused("read_code", path="")
        assert "no such file" in await tools.refused("read_code", path="SHOP.py")
        assert "error: " in await tools.refused("read_code", path="x" * 5000 + ".py")
        assert "error: " in await tools.refused("read_code", path="loop.py")
        assert "not a regular file" in await tools.refused("read_code", path="pipe.py")
        assert "not a Python file" in await tools.refused("read_code", path="README.md")
        assert "not a directory" in await tools.refused("read_code", path="shop.py/x.py")
        assert "RATE" in await tools.done("read_code", path=str(project / "shop.py"))
        assert "RATE" in await tools.done("read_code", path="json/../shop.py")
        assert "RATE" in await tools.done("read_code", path="inside.py")
        await tools.done("edit_code", path="inside.py", old="RATE = 0.2", new="RATE = 0.3")

    drive(transport, project, work)
    assert secret.read_text() == "secret = 1\n" and (project / "inside.py").is_symlink()
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP.replace("0.2", "0.3")


def test_what_git_ignores_is_left_out(project: Path) -> None:
    (project / ".git" / "info").mkdir(parents=True)
    (project / ".git" / "hooks.py").write_text("x = 1\n")
    (project / ".git" / "info" / "exclude").write_text("mine.py\n")
    (project / ".gitignore").write_text("/build/\n*.gen.py\n!kept.gen.py\n")
    for name in ("build/a.py", "a.gen.py", "kept.gen.py", "mine.py", "sub/.gitignore", "sub/local.py", "sub/build/a.py", ".hidden/a.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("local.py\n" if name.endswith("ignore") else "x = 1\n")
    (project / "to-build.py").symlink_to(project / "build" / "a.py")
    ignored = ["build/a.py", "a.gen.py", "mine.py", "sub/local.py", ".git/hooks.py", "to-build.py"]
    shutil.rmtree(project / "json")

    async def work(tools: Tools) -> None:
        listed = (await tools.call("read_code", path="."))[1][0].split("\n")
        assert listed == ["broken.py", "kept.gen.py", "shop.py", "sub/build/a.py"]
        for path in ignored:
            assert "git ignores it" in await tools.refused("read_code", path=path)
            assert "git ignores it" in await tools.refused("edit_code", path=path, old="x = 1", new="x = 2")
        await tools.done("read_code", path=".hidden/a.py")

    drive(STDIO, project, work)

    async def below(tools: Tools) -> None:
        """The patterns of the repository hold for a folder of it, but not for the folder that was named itself."""
        assert (await tools.call("read_code", path="."))[1][0].split("\n") == ["a.py"]

    drive(STDIO, project / "build", below)


def test_another_spelling_of_a_name_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that does not tell case apart, where SHOP.py opens shop.py though no pattern of git names it so."""
    from simpy_grammar.errors import SimPyError
    from simpy_mcp.roots import Roots

    (project / "SHOP.py").write_text("x = 1\n")
    whole = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: [name for name in whole(folder) if name != "SHOP.py"])
    roots = Roots([str(project)])
    assert roots.find("shop.py").exists
    with pytest.raises(SimPyError, match="not the name on the disk"):
        roots.find("SHOP.py")


def test_several_folders(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "shop.py").write_text("x = 1\n")
    (other / "only.py").write_text("y = 1\n")

    async def work(tools: Tools) -> None:
        assert "in several folders" in await tools.refused("read_code", path="shop.py")
        assert "y=1" in await tools.done("read_code", path="only.py")
        assert "x=1" in await tools.done("read_code", path=str(other / "shop.py"))
        assert "json" in await tools.done("read_code", path=str(project))

    drive(STDIO, project, work, str(other))


# ---------------------------------------------------------------------------------------------------- dialects, options


def test_a_dialect_of_simpy(project: Path) -> None:
    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="shop.py", symbol="Shop.refund"))[1][0]
        assert shown == "14:<def_stmt>refund self net<block_start><return>net<block_end>"
        new = "<def_stmt>refund self net<block_start><return>0<block_end>"
        await tools.done("edit_code", path="shop.py", symbol="Shop.refund", new=new)
        await tools.done("edit_code", path="shop.py", old="RATE=0.2", new="RATE=0.3")
        text = (await tools.call("read_code", path="shop.py"))[1][0]
        await tools.done("edit_code", path="shop.py", text=text.replace("RATE=0.3", "RATE=0.4"))

    drive(STDIO, project, work, "--dialect", "classic")
    assert (project / "shop.py").read_text(encoding="utf-8") == SHOP.replace("0.2", "0.4").replace("return net\n", "return 0\n")


def test_views_of_the_command_and_of_a_call(project: Path) -> None:
    async def work(tools: Tools) -> None:
        assert "#" not in await tools.done("read_code", path="shop.py")
        assert "# in cents" in await tools.done("read_code", path="shop.py", view=[])
        pruned = await tools.done("read_code", path="shop.py", view=["prune=36"])
        assert "class Shop" in pruned and "1 statement" in pruned and "gross=" not in pruned
        assert (await tools.done("read_code", path="shop.py", numbers="all", dialect="python")).startswith('1:"""A shop."""')

    drive(STDIO, project, work, "--view", "no-comments")


def test_a_string_that_looks_numbered_is_never_changed(tmp_path: Path) -> None:
    """A file with such a string is shown without numbers, and a text that parses keeps its strings."""
    source = 'HELP = """\n12:def f(a):\n"""\n\n\ndef g():\n    return HELP\n'
    (tmp_path / "a.py").write_text(source)

    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="a.py"))[1][0]
        assert "6:def g" not in shown
        await tools.done("edit_code", path="a.py", text=shown.replace("return HELP", "return 1"))

    drive(STDIO, tmp_path, work)
    assert (tmp_path / "a.py").read_text() == source.replace("return HELP", "return 1")


@pytest.mark.parametrize("data", ["a = 1\r\nb = 'é'\r\n".encode("utf-8-sig"), b"# coding: latin-1\na = 1\nb = '\xe9'\n"])
def test_bytes_stay(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(data)

    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="a.py"))[1][0]
        await tools.done("edit_code", path="a.py", text=shown.replace("a=1", "a=2"))
        await tools.done("edit_code", path="a.py", old="a = 2", new="a = 3")

    drive(STDIO, tmp_path, work)
    assert (tmp_path / "a.py").read_bytes() == data.replace(b"1\r", b"3\r").replace(b"a = 1\n", b"a = 3\n")


# ----------------------------------------------------------------------------------------------------------- the command


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from simpy_cli.main import main

    assert main(["mcp", str(tmp_path / "none")]) == 2
    assert "none: error: not a folder" in capsys.readouterr().err
    assert main(["mcp", str(tmp_path), "--view", "short"]) == 2
    assert "simpy mcp: error: no view 'short'" in capsys.readouterr().err


def test_without_the_extra(tmp_path: Path) -> None:
    code = "import sys; sys.modules['mcp'] = None\nfrom simpy_cli.main import main\nsys.exit(main(['mcp', '.']))"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr == f'simpy mcp: error: this needs the library mcp\nhint: pip install -e "{ROOT}[mcp]"\n'


def test_web_pages_cannot_reach_it(project: Path) -> None:
    import urllib.error
    import urllib.request

    with http_server(project) as url:
        for name, value in (("Origin", "http://example.org"), ("Host", "example.org")):
            headers = {name: value, "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
            request = urllib.request.Request(url, data=b"{}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=LONG)
            assert refused.value.code in (403, 421)
            refused.value.close()
