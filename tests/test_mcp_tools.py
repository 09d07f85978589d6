"""The tools of `simpy mcp`: what each does, patches, new files, dialects, and the command itself."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mcp_client import (
    ENVIRONMENT,
    EVERY,
    ROOT,
    SHOP,
    STDIO,
    Tools,
    drive,
)


@EVERY
def test_every_tool(transport: str, project: Path) -> None:
    async def work(tools: Tools) -> None:
        listed = await tools.client.list_tools()
        assert [tool.name for tool in listed.tools] == ["read_code", "edit_code", "check_code", "count_tokens"]
        assert [tool.annotations.read_only_hint for tool in listed.tools if tool.annotations] == [True, False, True, True]
        shown = await tools.done("read_code", path="shop.py", symbol="Shop.total")
        assert '8:def total(self,net):\n "With tax.";gross=net+net*RATE# not rounded\n return gross' in shown
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
            new = f"{header}):\n print({name!r})" + ("\n " if one_line else "") + body
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
        assert (await tools.done("edit_code", path="sub/compact.py", text="def f(a):\n x=a;return x")).startswith(
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
