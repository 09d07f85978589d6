"""Which files `simpy mcp` serves, and to whom."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.mcp_client import (
    EVERY,
    LONG,
    SHOP,
    STDIO,
    Tools,
    drive,
    http_server,
)


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
