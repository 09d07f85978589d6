"""The container file and the systemd unit of `simpy serve`: what they name exists, and what they run works."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simpy_cli.serve_options import OPTIONS, PREFIX
from tests.scripted_upstream import LONG, upstream_server

ROOT = Path(__file__).resolve().parent.parent
CONTAINER = (ROOT / "Containerfile").read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "simpy-serve.service"
NAMES = {option.name for option in OPTIONS}


def instruction(name: str) -> str:
    """What follows the last instruction of that name."""
    return re.findall(rf"^{name} (.+)$", CONTAINER, re.MULTILINE)[-1]


def environment() -> dict[str, str]:
    """What the image sets."""
    return dict(pair.split("=", 1) for pair in instruction("ENV").split())


def is_healthy(port: str) -> bool:
    program, *words = json.loads(instruction("HEALTHCHECK").split(" CMD ")[1])
    assert program == "python"
    done = subprocess.run([sys.executable, *words], env={**os.environ, "SIMPY_SERVE_PORT": port}, capture_output=True, check=False)
    return done.returncode == 0


def test_the_image_serves_and_its_health_check_sees_that() -> None:
    program, *words = json.loads(instruction("ENTRYPOINT"))
    assert program == "simpy"
    with upstream_server() as (_, url):
        settings = {**environment(), "SIMPY_SERVE_PORT": "0", "SIMPY_SERVE_UPSTREAM": url, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-m", "simpy_cli", *words], stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **settings}
        )
        try:
            assert process.stderr is not None
            found = re.search(r"http://0\.0\.0\.0:(\d+)/v1", process.stderr.readline())
            assert found, "it listens on every address of the container"
            assert is_healthy(found[1])
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LONG)
    assert process.returncode == 0
    assert not is_healthy(found[1])


def test_the_image_sets_options_that_exist() -> None:
    assert {name.removeprefix(PREFIX).lower().replace("_", "-") for name in environment()} <= NAMES
    port = next(option.default for option in OPTIONS if option.name == "port")
    assert environment()["SIMPY_SERVE_PORT"] == instruction("EXPOSE") == str(port)


def test_the_image_installs_extras_that_exist_and_needs_no_root() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extras in re.findall(r"\[([a-z,]+)\]\"", CONTAINER):
        assert all(f"\n{extra} = [" in pyproject for extra in extras.split(","))
    assert instruction("USER") == "simpy"


def value(name: str) -> str:
    """A setting of the unit."""
    return re.findall(rf"^{name}=(.+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)[-1]


def test_the_unit_starts_a_command_that_exists() -> None:
    program, subcommand, *words = value("ExecStart").split()
    assert (Path(program).name, subcommand) == ("simpy", "serve")
    assert {word[2:] for word in words if word.startswith("--")} <= NAMES
    grace = next(option.default for option in OPTIONS if option.name == "grace")
    assert int(value("TimeoutStopSec")) > grace


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "simpy"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace(value("ExecStart").split()[0], str(program)))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    exposure = subprocess.run(["systemd-analyze", "security", "--offline=yes", unit], capture_output=True, text=True, check=True).stdout
    score = re.search(r"Overall exposure level for .+: ([\d.]+) OK", exposure)
    assert score, exposure[-200:]
