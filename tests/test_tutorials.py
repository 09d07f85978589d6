"""The commands of the tutorials that `tests/test_docs.py` cannot run by themselves: those that train, and those that need a server."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

for _library in ("torch", "transformers", "accelerate", "peft", "torchao", "datasets", "uvicorn", "tokenizers"):
    pytest.importorskip(_library, reason="the extras of the tutorials are not installed")

import transpiler  # noqa: E402  # after the libraries that may be missing
from recipes import from_scratch  # noqa: E402  # as above
from simpy_cli.main import main  # noqa: E402  # as above
from tests.scripted_upstream import LONG, chat_answer, upstream_server  # noqa: E402  # as above
from tests.small_tokenizers import byte_bpe  # noqa: E402  # as above
from tokenizer_ext import fitted_dialect, fitting  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
CLOSED, TRAINED = ((ROOT / "docs" / "tutorials" / f"{name}.md").read_text(encoding="utf-8") for name in ("closed-model", "train-and-serve"))
STEPS = "--steps 2 --batch 2 --length 32 --evaluate-every 2 --save-every 2 --held-programs 2".split()
SHAPE = "--vocabulary 400 --hidden 16 --layers 1 --heads 2".split()
PROXY = "http://127.0.0.1:8642"  # where the pages find it


def commands(page: str) -> list[str]:
    """The commands of a page but for those that install something."""
    found = [line for block in re.findall(r"^```bash\n(.*?)^```", page, re.MULTILINE | re.DOTALL) for line in block.splitlines()]
    return [line for line in found if not line.startswith("pip ")]


@contextmanager
def proxy(command: str, upstream: str) -> Iterator[str]:
    """The proxy that a command of a page starts, before another upstream; its address."""
    words = shlex.split(command)
    assert words[:3] == ["simpy", "serve", "--upstream"]
    process = subprocess.Popen(
        [sys.executable, "-m", "simpy_cli", "serve", "--upstream", upstream, *words[4:], "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
    )
    try:
        assert process.stderr is not None
        found = re.match(r"serving (http://127\.0\.0\.1:\d+)/v1 -> ", process.stderr.readline())
        assert found
        yield found[1]
    finally:
        process.kill()
        process.communicate(timeout=LONG)


def ask(command: str, address: str) -> str:
    """What a `curl` of a page prints, asked of another address."""
    words = shlex.split(command)
    assert words[:2] == ["curl", "-s"] and words[2].startswith(PROXY)
    options = list(zip(words[3::2], words[4::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
    body = next((value.encode() for option, value in options if option == "-d"), None)
    request = urllib.request.Request(words[2].replace(PROXY, address), data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=LONG) as response:
        text: str = response.read().decode()
        return text


def test_the_proxy_of_the_first_tutorial() -> None:
    serve, question, metrics = commands(CLOSED)
    shown = re.findall(r"^def larger.*\n.*$", CLOSED, re.MULTILINE)[-1].split("\n")[0]  # what the page says that the model reads
    with upstream_server() as (app, url), proxy(serve, url) as address:
        app.reply = chat_answer("Yes:\n```python\nx=[1,2]\n```\n")
        answer = json.loads(ask(question, address))
        assert "x = [1, 2]" in answer["choices"][0]["message"]["content"]
        read = app.seen[-1].json["messages"][0]["content"]
        assert read == f"Is this right?\n```python\n{shown}\n```"
        assert "simpy_reported_tokens_total" in ask(metrics, address)


def test_every_command_of_the_second_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("recipes", "simpy_mcp", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("transpiler", "dualcode", "tokenizer_ext"):  # a few files of each are enough
        (tmp_path / name).mkdir()
        for path in sorted((ROOT / name).glob("*.py"))[:3]:
            shutil.copy(path, tmp_path / name)
    monkeypatch.setattr(fitting, "fit", partial(fitting.fit, terminals=("EQUAL",), rounds=1))  # a whole search takes long
    byte_bpe().save("cl100k_base")  # stands in for the vocabulary that only a network has
    printed: dict[str, str] = {}
    for line in commands(TRAINED):
        words = shlex.split(line)
        if words[:3] == ["python", "-m", "recipes.from_scratch"]:
            assert from_scratch.main([*words[3:], *STEPS, *SHAPE]) == 0
        elif words[0] in ("mkdir", "printf"):
            subprocess.run(["sh", "-c", line], check=True)
        elif words[1] == "serve":
            printed["serve"] = line
        else:
            capsys.readouterr()
            assert main(words[1:]) == 0, line
            printed[" ".join(words[1:3])] = capsys.readouterr().out
    cart = transpiler.decode(Path("cart.simpy").read_text(encoding="utf-8"), dialect=fitted_dialect(byte_bpe()))
    assert cart == Path("examples/cart.py").read_text(encoding="utf-8")
    compile(Path("begun.py").read_text() + printed["complete begun.py"], "<completed>", "exec")
    assert "nats per program" in printed["eval compare"].lower()
    with upstream_server() as (app, url), proxy(printed["serve"], url) as address:
        app.reply = chat_answer("So:\n```python\n<return>a<l>b\n```\n")
        question = {"model": "m", "messages": [{"role": "user", "content": "Why?\n```python\nif a == 1:\n    f(a)\n```"}]}
        answer = ask(f"curl -s {PROXY}/v1/chat/completions -d {shlex.quote(json.dumps(question))}", address)
        assert "return a < b" in answer
        assert "<if_stmt>a<eq>1<block_start>f(a)<block_end>" in app.seen[-1].json["messages"][0]["content"]
