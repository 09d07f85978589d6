"""Long texts are converted in processes beside the server: with the same result, and whatever becomes of the processes."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import httpx
import pytest

import transpiler
from dualcode.conversion.messages import CODE, TEXT, MessageConverter
from dualcode.conversion.outcomes import Converted
from dualcode.server.workers import LONG as LONG_TEXT
from dualcode.server.workers import ConversionError, Workers
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError
from tests.api_answers import CHAT, whole
from tests.scripted_upstream import LONG, Reply, Upstream, proxy_server, upstream_server

CODE_TEXT = "".join(f"def function_{number}(a, b = {number}):\n    return a < b\n\n\n" for number in range(200))
FENCED = f"Look:\n```python\n{CODE_TEXT}```\n"
BROKEN = FENCED.replace("a, b = 7", "a, b = (")
CLASSIC = Dialect.load("classic")


def here(how: str, text: str) -> Converted:
    raise AssertionError("a long text is not converted in this process")


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(1, CLASSIC)
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize(("how", "text"), [(TEXT, FENCED), (CODE, CODE_TEXT), (TEXT, BROKEN)])
def test_a_process_gives_what_this_one_gives(workers: Workers, how: str, text: str) -> None:
    assert len(text) > LONG_TEXT
    assert workers.convert(how, text, here) == MessageConverter(CLASSIC).convert_anew(how, text)


def test_a_process_has_the_options_of_this_one() -> None:
    text = "".join(f"{number:6}\t{line}\n" for number, line in enumerate(CODE_TEXT.split("\n"), 1))
    compact = Dialect.load("compact")
    made = Workers(1, compact, numbers=False)
    try:
        assert made.convert(TEXT, text, here) == MessageConverter(compact, numbers=False).convert_anew(TEXT, text)
    finally:
        made.close()


def test_short_texts_stay_here(workers: Workers) -> None:
    assert workers.convert(TEXT, "a" * (LONG_TEXT - 1), lambda how, text: Converted(how)).text == TEXT


def test_a_process_that_dies_is_replaced(workers: Workers) -> None:
    assert workers.convert(CODE, CODE_TEXT, here).parts == 1
    (process,) = _processes(workers)
    os.kill(process, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    assert workers.convert(CODE, CODE_TEXT, here).parts == 1
    assert _processes(workers) != [process]


def _processes(workers: Workers) -> list[int]:
    assert workers._pool is not None
    return [process.pid for process in workers._pool._processes.values() if process.pid]


def test_a_text_that_kills_them_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies with each try; the request then passes as received."""
    dying = Workers(1, CLASSIC)
    tries: list[int] = []

    class Dying:
        def submit(self, *_: Any) -> Any:
            tries.append(1)
            raise BrokenProcessPool

        def shutdown(self, **_: Any) -> None: ...

    monkeypatch.setattr(dying, "_running", Dying)
    with pytest.raises(ConversionError):
        dying.convert(CODE, CODE_TEXT, here)
    assert len(tries) == 2


def test_errors_come_back() -> None:
    strict = Workers(1, CLASSIC, on_error="raise")
    try:
        with pytest.raises(PythonSyntaxError) as caught:
            strict.convert(TEXT, BROKEN, here)
        assert (caught.value.message, caught.value.line) == ("invalid syntax", 3 + 4 * 7)
    finally:
        strict.close()


# ------------------------------------------------------------------------------------------------------- in the proxy


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (app, url), proxy_server(url, dialect="classic", workers=1) as proxy:
        app.reply = Reply([whole(CHAT, "hello")])
        yield app, proxy


def ask(proxy: str, text: str) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    return httpx.post(f"{proxy}{CHAT}", json=body, timeout=LONG, verify=False).status_code


def test_clients_with_long_prompts_at_once(servers: tuple[Upstream, str]) -> None:
    app, proxy = servers
    app.seen.clear()
    texts = [f"Number {number % 5}.\n{FENCED}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda text: ask(proxy, text), texts)) == {200}
    sent = [seen.json["messages"][0]["content"] for seen in app.seen]
    assert sorted(sent) == sorted(text.replace(CODE_TEXT, transpiler.encode(CODE_TEXT) + "\n") for text in texts)


def test_a_stop_while_long_prompts_are_converted() -> None:
    """Nothing hangs, and every client gets an answer."""
    done: list[int] = []
    with upstream_server() as (app, url):
        app.reply = Reply([whole(CHAT, "hello")])
        with proxy_server(url, dialect="classic", workers=1, grace=LONG) as proxy:
            threads = [threading.Thread(target=lambda n=n: done.append(ask(proxy, f"{n}{FENCED * 5}"))) for n in range(3)]
            for thread in threads:
                thread.start()
            while not app.seen:
                threads[0].join(0.01)
    for thread in threads:
        thread.join(LONG)
    assert done == [200, 200, 200]
    assert all("<def_stmt>" in json.loads(seen.body)["messages"][0]["content"] for seen in app.seen)
