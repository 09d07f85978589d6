"""What `simpy mcp` refuses: conflicts, places that are not one, and code that is not Python; nothing is written."""

from __future__ import annotations

from pathlib import Path

from tests.mcp_client import (
    EVERY,
    SHOP,
    STDIO,
    WITH_SESSIONS,
    Tools,
    drive,
    handle,
)


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
        await tools.done("edit_code", path="shop.py", old=" def refund(self,net):", new=" def refund(self,net,why):")
        await tools.done("edit_code", path="shop.py", old="14: def refund(self,net,why):", new="14: def refund(self,gross):")

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
