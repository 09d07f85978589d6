"""Requests that ask an engine for the grammar: of the proxy, and of DualCode's backend for servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

for _library in ("openai", "httpx", "starlette", "uvicorn"):
    pytest.importorskip(_library, reason="the extra serve is not installed")

from dualcode.backends.openai_backend import OpenAIBackend  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.protocol import CHAT, COMPLETE, Request  # noqa: E402  # as above
from dualcode.engines import ENGINES, EngineGrammar  # noqa: E402  # as above
from simpy_cli.main import main  # noqa: E402  # as above
from simpy_cli.serve_options import OPTIONS  # noqa: E402  # as above
from simpy_grammar.dialect import Dialect  # noqa: E402  # as above
from simpy_grammar.engines import engine_grammar  # noqa: E402  # as above
from simpy_grammar.errors import BackendError, SimPyError  # noqa: E402  # as above
from tests.scripted_upstream import Reply, Upstream, proxy_server, upstream_server  # noqa: E402  # as above

ASKED = [{"role": "user", "content": "hello"}]
ANSWER = {"id": "a", "object": "chat.completion", "created": 0, "model": "m", "choices": [{"index": 0, "message": {"content": "x"}}]}


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (app, url):
        app.reply = Reply([json.dumps(ANSWER).encode()])
        yield app, url


def asked(app: Upstream, proxy: str, path: str, **body: Any) -> Any:
    import httpx

    httpx.post(f"{proxy}/{path}", json=body).raise_for_status()
    return app.seen[-1].json


@pytest.mark.parametrize(("engine", "to", "field"), [(name, row.format, row.field) for name, row in ENGINES.items()])
def test_proxy_and_backend_send_the_grammar(scripted: tuple[Upstream, str], engine: str, to: str, field: tuple[str, ...]) -> None:
    app, url = scripted
    expected: Any = engine_grammar(Dialect.load("dense"), to, fenced=True)
    for name in reversed(field):
        expected = {name: expected}
    with proxy_server(url, dialect="dense", constrain=engine) as proxy:
        body = asked(app, proxy, "chat/completions", model="m", messages=ASKED)
        assert body == {"model": "m", "messages": ASKED, **expected}
        tools = [{"type": "function", "function": {"name": "f"}}]
        for own in ({"tools": tools}, {"response_format": {"type": "json_object"}}, {field[0]: {"a": 1}}):
            assert asked(app, proxy, "chat/completions", model="m", messages=ASKED, **own) == {"model": "m", "messages": ASKED, **own}
        assert asked(app, proxy, "completions", model="m", prompt="x = 1\n").keys() == {"model", "prompt"}
    backend = OpenAIBackend(url, name="m", constrain=EngineGrammar(engine, "dense"))
    assert list(backend.run(Request(CHAT, messages=ASKED, options={"extra_body": {"top_k": 4}}))) == ["x"]
    assert app.seen[-1].json == {"model": "m", "messages": ASKED, "top_k": 4, **expected}
    assert list(backend.run(Request(CHAT, messages=ASKED, options={"tools": tools}))) == ["x"]
    assert app.seen[-1].json == {"model": "m", "messages": ASKED, "tools": tools}
    with pytest.raises(BackendError, match="the rest of a program"):
        list(backend.run(Request(COMPLETE, prompt="x")))


def test_options_name_every_engine() -> None:
    option = next(option for option in OPTIONS if option.name == "constrain")
    assert option.choices == tuple(ENGINES)


def test_faults_are_told_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SimPyError, match="no engine 'xgrammar'"):
        EngineGrammar("xgrammar", "dense")
    assert main(["serve", "--upstream", "http://127.0.0.1:9", "--constrain", "vllm", "--port", "0"]) == 2
    assert "cannot count indents" in capsys.readouterr().err
