"""Keys: who may ask the proxy, and which key the upstream gets, in each of the ways in which APIs take keys."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api_answers import ASKED, CHAT, MESSAGES, whole
from tests.scripted_upstream import LONG, Reply, Upstream, proxy_server, upstream_server

OURS, SECOND, THEIRS = "ours-1", "ours-2", "theirs"
WAYS = [("authorization", "Bearer {}"), ("authorization", "bearer  {}"), ("x-api-key", "{}"), ("api-key", "{}"), ("X-Api-Key", "{}")]
KEY_HEADERS = ("authorization", "x-api-key", "api-key")


@pytest.fixture(scope="module")
def upstream_url() -> Iterator[tuple[Upstream, str]]:
    with upstream_server() as (app, url):
        yield app, url


@pytest.fixture
def upstream(upstream_url: tuple[Upstream, str]) -> Upstream:
    app = upstream_url[0]
    app.seen.clear()
    app.reply = Reply([whole(CHAT, "hello")])
    return app


@pytest.fixture(scope="module")
def guarded(upstream_url: tuple[Upstream, str]) -> Iterator[str]:
    """A proxy with keys of its own and one for the upstream."""
    with proxy_server(upstream_url[1], api_keys=(OURS, SECOND), upstream_key=THEIRS) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def gate(upstream_url: tuple[Upstream, str]) -> Iterator[str]:
    """A proxy with keys of its own, whose clients bring keys for the upstream too."""
    with proxy_server(upstream_url[1], api_keys=(OURS,)) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def giver(upstream_url: tuple[Upstream, str]) -> Iterator[str]:
    """A proxy that asks for nothing and has a key for the upstream."""
    with proxy_server(upstream_url[1], upstream_key=THEIRS) as proxy:
        yield proxy


def ask(proxy: str, headers: dict[str, str], path: str = CHAT) -> httpx.Response:
    return httpx.post(f"{proxy}{path}", json=ASKED[path], headers=headers, timeout=LONG, verify=False)


def keys_seen(upstream: Upstream) -> dict[str, str]:
    (seen,) = upstream.seen
    return {name: value for name, value in seen.headers.items() if name in KEY_HEADERS}


@pytest.mark.parametrize(("name", "form"), WAYS)
@pytest.mark.parametrize("key", [OURS, SECOND])
def test_a_key_is_taken_in_each_way_and_replaced(upstream: Upstream, guarded: str, name: str, form: str, key: str) -> None:
    assert ask(guarded, {name: form.format(key)}).status_code == 200
    expected = f"Bearer {THEIRS}" if name == "authorization" else THEIRS
    assert keys_seen(upstream) == {name.lower(): expected}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer other"},
        {"authorization": f"Basic {OURS}"},
        {"authorization": OURS},
        {"authorization": f"Bearer {OURS}x"},
        {"authorization": "Bearer"},
        {"x-api-key": ""},
        {"x-api-key": THEIRS},
        {"x-api-key": f"Bearer {OURS}"},
        {"cookie": OURS},
    ],
)
def test_others_are_refused_before_anything_else(upstream: Upstream, guarded: str, headers: dict[str, str]) -> None:
    for path, error in ((CHAT, {"type": "proxy_error", "code": "invalid_api_key"}), (MESSAGES, {"type": "authentication_error"})):
        answer = ask(guarded, headers, path)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert error.items() <= answer.json()["error"].items()
    assert httpx.get(guarded + "/models", headers=headers, timeout=LONG, verify=False).status_code == 401
    assert httpx.get(guarded.removesuffix("/v1") + "/metrics", headers=headers, timeout=LONG, verify=False).status_code == 401
    assert not upstream.seen


def test_probes_need_no_key_and_metrics_do(upstream: Upstream, guarded: str) -> None:
    root = guarded.removesuffix("/v1")
    assert [httpx.get(root + path, timeout=LONG, verify=False).status_code for path in ("/health", "/ready")] == [200, 200]
    assert httpx.get(f"{root}/metrics", headers={"x-api-key": OURS}, timeout=LONG, verify=False).status_code == 200


def test_a_key_of_the_proxy_never_reaches_the_upstream(upstream: Upstream, gate: str) -> None:
    assert ask(gate, {"x-api-key": OURS, "authorization": f"Bearer {THEIRS}"}).status_code == 200
    assert keys_seen(upstream) == {"authorization": f"Bearer {THEIRS}"}
    assert OURS not in str(upstream.seen)


def test_without_a_key_for_the_upstream_there_is_none(upstream: Upstream, gate: str) -> None:
    assert ask(gate, {"api-key": OURS}).status_code == 200
    assert keys_seen(upstream) == {}


@pytest.mark.parametrize(
    ("path", "headers", "seen"),
    [
        (CHAT, {}, {"authorization": f"Bearer {THEIRS}"}),
        (MESSAGES, {}, {"x-api-key": THEIRS}),
        (MESSAGES, {"authorization": "Bearer dummy"}, {"authorization": f"Bearer {THEIRS}"}),
        (CHAT, {"api-key": "dummy"}, {"api-key": THEIRS}),
    ],
)
def test_a_key_for_the_upstream_takes_the_place_of_the_clients(
    upstream: Upstream, giver: str, path: str, headers: dict[str, str], seen: dict[str, str]
) -> None:
    assert ask(giver, headers, path).status_code == 200
    assert keys_seen(upstream) == seen
