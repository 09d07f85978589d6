"""Options, marks and Hypothesis profiles of the test suite.

``--corpus=full`` reads the whole standard library instead of a sample; ``--update-cases`` writes what the encoder gives
into the golden files; ``HYPOTHESIS_PROFILE=deep`` searches longer.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.internal.conjecture import providers

if TYPE_CHECKING:
    import openai

    from tests.scripted_upstream import Upstream

# No deadline: a test asserts no time. Shrinking is left to the deep profile, which a person reads.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]}
_QUICK = (Phase.explicit, Phase.generate)
settings.register_profile("quick", max_examples=60, derandomize=True, database=None, phases=_QUICK, **_COMMON)  # type: ignore[arg-type]  # one dict of several types
settings.register_profile("ci", settings.get_profile("quick"))
settings.register_profile("deep", max_examples=5000, phases=tuple(Phase), **_COMMON)  # type: ignore[arg-type]  # as above
# Hypothesis draws constants of the modules that are loaded, and which are loaded depends on the tests that ran before in the process.
if hasattr(providers, "is_local_module_file"):  # newer versions
    providers.is_local_module_file = lambda path: False
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _no_results_of_other_tests(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see what the command has remembered of files in another one."""
    folder = tmp_path_factory.getbasetemp() / f"results-{os.urandom(8).hex()}"
    monkeypatch.setattr("simpy_cli.result_cache._FOLDER", str(folder))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this suite."""
    parser.addoption("--corpus", choices=("sample", "full"), default="sample", help="how much of the standard library to read")
    parser.addoption("--update-cases", action="store_true", help="write what the encoder gives into tests/cases/")


@pytest.fixture(scope="module")
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[Upstream, str]]:
    """An upstream, and the URL of a proxy in front of it; ``PROXY`` of a test module holds further settings of the proxy."""
    from tests.scripted_upstream import proxy_server, upstream_server  # needs the extra serve, which few tests do

    chosen = {"dialect": "classic", **getattr(request.module, "PROXY", {})}
    with upstream_server() as (app, url), proxy_server(url, **chosen) as proxy:
        yield app, proxy


@pytest.fixture
def upstream(servers: tuple[Upstream, str]) -> Upstream:
    """The upstream, which has seen nothing yet."""
    app = servers[0]
    app.seen.clear()
    app.left.clear()
    return app


@pytest.fixture
def proxy(servers: tuple[Upstream, str]) -> str:
    """The URL of the proxy, as an OpenAI client takes it."""
    return servers[1]


@pytest.fixture
def client(proxy: str) -> Iterator[openai.OpenAI]:
    """OpenAI's client of the proxy."""
    import openai

    from tests.scripted_upstream import LONG

    with openai.OpenAI(base_url=proxy, api_key="key-of-the-client", max_retries=0, timeout=LONG) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a package of the standard library, a file to edit, and one that is not Python."""
    import json

    from tests.mcp_client import SHOP  # needs the extra mcp, which few tests do

    folder = tmp_path / "project"
    shutil.copytree(Path(json.__file__).parent, folder / "json", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    (folder / "broken.py").write_text("def f(:\n    pass\n", encoding="utf-8")
    return folder
