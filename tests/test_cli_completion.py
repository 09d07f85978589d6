"""Completion scripts: that they name what there is, and that the shells that are here take them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from simpy_cli.main import main
from simpy_cli.options import DIALECTS
from simpy_cli.registry import COMMANDS


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_names_all_commands_and_dialects(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    assert all(name in text for name in COMMANDS)
    assert " ".join(DIALECTS) in text
    assert "in-place" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_takes_the_script(shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    path = tmp_path / "script"
    path.write_text(script(shell, capsys))
    assert subprocess.run([shell, "-n", str(path)], capture_output=True, text=True, check=False).stderr == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("simpy enc", ["encode"]),
        ("simpy encode --dia", ["--dialect"]),
        ("simpy convert --to dense", ["dense", "dense-newline", "dense-spaced", "dense-open"]),
        ("simpy grammar export --to g", ["gbnf"]),
        ("simpy completion z", ["zsh"]),
        ("simpy encode fi", ["file.py"]),
    ],
)
def test_bash_completes(words: str, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed here")
    (tmp_path / "file.py").write_text("")
    count = len(words.split()) - 1
    code = f'{script("bash", capsys)}\nCOMP_WORDS=({words}); COMP_CWORD={count}; _simpy; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout.split(), done.stderr) == (expected, "")
