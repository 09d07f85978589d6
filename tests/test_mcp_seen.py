"""What the server of `simpy mcp` remembers of what a client has seen, and how rewritten code is merged by it."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path

from tests.mcp_client import (
    EVERY,
    MODERN,
    SHOP,
    STDIO,
    WITH_SESSIONS,
    Tools,
    connected,
    drive,
    handle,
    http_server,
)


@WITH_SESSIONS
def test_a_rewritten_text_is_merged_with_what_others_changed(transport: str, project: Path) -> None:
    path = project / "shop.py"

    async def work(tools: Tools) -> None:
        shown = (await tools.call("read_code", path="shop.py", view=["no-comments"]))[1][0]
        path.write_text(SHOP.replace("return net\n", "return -net\n"), encoding="utf-8")
        await tools.done("edit_code", path="shop.py", text=shown.replace("RATE=0.2", "RATE=0.19"))
        # The session knows its own edit, and not that of the other one.
        await tools.done("edit_code", path="shop.py", text=re.sub(r"\d+:(?=def|class| def)", "", shown).replace("RATE=0.2", "RATE=0.21"))

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
            without = whole[: whole.index("\n def refund")]
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
