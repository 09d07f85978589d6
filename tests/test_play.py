"""``simpy play``: the server of the playground, and that the page can ask nobody but it. ``web/tests/`` tests the page in a browser."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from simpy_cli.commands.play import HOST
from simpy_cli.listening import listen
from simpy_cli.main import main
from simpy_cli.page_server import POLICY, PageServer

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
FILES = {
    "index.html": ("<p>page</p>", "text/html; charset=utf-8"),
    "sw.js": ("1", "text/javascript; charset=utf-8"),
    "pyodide/pyodide.asm.mjs": ("2", "text/javascript; charset=utf-8"),
    "pyodide/pyodide.asm.wasm": ("3", "application/wasm"),
    "pyodide/started.bin.gz": ("4", "application/gzip"),
    "wheel/simpy_lang.whl": ("5", "application/zip"),
    "assets/page.css": ("6", "text/css; charset=utf-8"),
}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder that looks like a built page, beside a file that is nobody's business."""
    (tmp_path / "secret.txt").write_text("secret")
    for name, (text, _) in FILES.items():
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "dist"


@pytest.fixture
def port(built: Path) -> Iterator[int]:
    """The port of a server of that page."""
    with listen(HOST, 0) as listener, PageServer(listener, built) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, {name.title(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", FILES)
def test_files_have_their_types_and_the_policy(name: str, port: int) -> None:
    text, kind = FILES[name]
    status, headers, found = ask(port, f"/{name}")
    assert (status, found, headers["Content-Type"]) == (200, text, kind)
    assert headers["Content-Security-Policy"] == POLICY
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-cache")


def test_the_folder_itself_is_the_page(port: int) -> None:
    assert ask(port, "/")[::2] == (200, "<p>page</p>")
    assert ask(port, "/", "HEAD")[::2] == (200, "")


@pytest.mark.parametrize(
    "path", ["/wheel/", "/nothing", "/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt", "//secret.txt"]
)
def test_nothing_else_is_served(path: str, port: int) -> None:
    status, _, text = ask(port, path)
    assert status == 404 and "secret" not in text.replace(path, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(method: str, port: int) -> None:
    assert ask(port, "/", method)[0] == 501


def test_it_serves_until_a_signal_says_stop(built: Path) -> None:
    command = [sys.executable, "-m", "simpy_cli", "play", "--folder", str(built), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            port = re.fullmatch(rf"serving the playground at http://{re.escape(HOST)}:(\d+)/\n", said)
            assert port, said
            assert ask(int(port[1]), "/")[2] == "<p>page</p>"
        finally:
            process.send_signal(signal.SIGTERM)
        assert (process.wait(60), process.stderr.read()) == (0, "")


def test_it_opens_a_browser_unless_told_not_to(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def interrupted(self: PageServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(PageServer, "serve_forever", interrupted)
    before = signal.getsignal(signal.SIGTERM)
    try:
        for words in ([], ["--no-browser"]):
            assert main(["play", "-q", "--folder", str(built), "--port", "0", *words]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(opened) == 1 and re.fullmatch(rf"http://{re.escape(HOST)}:\d+/", opened[0])


def test_a_page_that_is_not_built_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path}: error: the playground is not built here\nhint: ")
    assert "cd web && npm ci && npm run build" in said


@pytest.mark.parametrize("at", ["here", "clone"])
def test_a_built_page_is_found_here_and_in_the_clone(at: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, clone = tmp_path / "here", tmp_path / "clone"
    for folder in (here, clone):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr("simpy_cli.commands.play.CLONE", clone)
    assert main(["play", "--no-browser", "--port", "0"]) == 2
    shutil.copytree(built, tmp_path / at / "web" / "dist")
    served: list[str] = []

    def noted(self: PageServer) -> None:
        served.append(str(self.RequestHandlerClass.keywords["directory"]))  # type: ignore[attr-defined]  # a partial
        raise KeyboardInterrupt

    monkeypatch.setattr(PageServer, "serve_forever", noted)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["play", "--no-browser", "--port", "0"]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert [Path(folder).resolve() for folder in served] == [(tmp_path / at / "web" / "dist").resolve()]


def test_a_port_that_is_taken_is_explained(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen(HOST, 0) as listener:
        assert main(["play", "--no-browser", "--folder", str(built), "--port", str(listener.getsockname()[1])]) == 2
    assert "hint: choose another --port" in capsys.readouterr().err


def test_the_page_may_ask_nobody_but_its_own_server() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', page)
    assert policy and f"{policy[1]}; frame-ancestors 'none'" == POLICY  # which no <meta> can say
    assert "default-src 'none'" in POLICY and "connect-src 'self'" in POLICY
    for path in [WEB / "index.html", *sorted((WEB / "src").iterdir()), *sorted((WEB / "python").rglob("*.py"))]:
        addresses = re.findall(r"\b(?:https?|wss?)://[^\s\"'`)]*", path.read_text(encoding="utf-8"))
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, path


def test_what_the_page_is_made_of_is_pinned() -> None:
    import json

    asked = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    locked = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package for name, package in locked.items() if name)
