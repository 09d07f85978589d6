"""The page from an empty folder to a small model: each of its commands, in small."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

for _library in ("torch", "transformers", "accelerate", "peft", "torchao", "datasets"):
    pytest.importorskip(_library, reason="the extras of the page are not installed")

from recipes import from_scratch  # noqa: E402  # after the libraries that may be missing
from simpy_cli.main import main  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "first-model.md").read_text(encoding="utf-8")
STEPS = "--steps 2 --batch 2 --length 32 --evaluate-every 2 --save-every 2 --held-programs 2".split()
SHAPE = "--vocabulary 400 --hidden 16 --layers 1 --heads 2".split()
PROGRAMS = re.compile(r'\("asyncio".*?\)')  # the page takes many
FEW = '("json", "urllib")'


def commands() -> list[str]:
    """The commands of the page but for those that install something."""
    found = [line for block in re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    return [line for line in found if not line.startswith("pip ")]


def test_every_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("recipes", "simpy_mcp"):
        (tmp_path / name).symlink_to(ROOT / name)
    completed = compared = ""
    for line in commands():
        words = shlex.split(line)
        if words[:3] == ["python", "-m", "recipes.from_scratch"]:
            assert from_scratch.main([*words[3:], *STEPS, *SHAPE]) == 0
        elif words[:2] == ["python", "-c"]:
            subprocess.run([sys.executable, "-c", PROGRAMS.sub(FEW, words[2])], check=True)
        elif words[0] == "printf":
            subprocess.run(["sh", "-c", line], check=True)
        else:
            assert words[0] == "simpy"
            capsys.readouterr()
            assert main(words[1:]) == 0, line
            printed = capsys.readouterr().out
            completed = printed if words[1] == "complete" else completed
            compared = printed if words[1:3] == ["eval", "compare"] else compared
    compile((tmp_path / "begun.py").read_text() + completed, "<completed>", "exec")
    assert "nats per program" in compared.lower()
