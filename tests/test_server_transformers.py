"""`simpy serve` in front of a real server: OpenAI's client, the proxy, `transformers serve` with a small model, all on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

for _library, _extra in (("torch", "transformers"), ("transformers", "transformers"), ("openai", "serve"), ("uvicorn", "serve")):
    pytest.importorskip(_library, reason=f"the extra {_extra} is not installed")
pytest.importorskip("fastapi", reason="`transformers serve` needs transformers[serving], which is not installed")

import openai  # noqa: E402  # after the libraries that may be missing
import torch  # noqa: E402  # after the libraries that may be missing
import transformers  # noqa: E402  # after the libraries that may be missing

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.openai_backend import OpenAIBackend  # noqa: E402  # after the libraries that may be missing
from dualcode.conversion.completion import CompletionStream  # noqa: E402  # after the libraries that may be missing
from dualcode.conversion.markdown import MixedText  # noqa: E402  # after the libraries that may be missing
from dualcode.conversion.prompts import Prompt  # noqa: E402  # after the libraries that may be missing
from tests.scripted_upstream import proxy_server  # noqa: E402  # after the libraries that may be missing
from tests.small_tokenizers import byte_bpe  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import extend  # noqa: E402  # after the libraries that may be missing

PATIENCE = 180.0  # seconds until the server must answer
PROMPT = "def add(a, b):\n    total = "
MESSAGES: Any = [{"role": "user", "content": f"Go on:\n```python\n{PROMPT}a\n```\n"}]
TEMPLATE = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}\n{% endfor %}[assistant]"


def save_model(folder: Path) -> None:
    """A small Llama that writes at random, with a tokenizer extended for ``classic``."""
    plain = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    tokenizer = extend(plain, dialect="classic")
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = transformers.LlamaConfig(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0, pad_token_id=0, **shape)
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of the server and the name of its model."""
    command = shutil.which("transformers", path=os.path.dirname(sys.executable)) or shutil.which("transformers")
    if command is None:
        pytest.skip("the command `transformers` is not there")
    folder = tmp_path_factory.mktemp("serve")
    save_model(folder / "model")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    words = [command, "serve", str(folder / "model"), "--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with open(folder / "log", "wb") as log, subprocess.Popen(words, stdout=log, stderr=log, env=environment) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(f"http://127.0.0.1:{port}/health"):
                said = (folder / "log").read_text(encoding="utf-8", errors="replace")
                if process.poll() is not None and "pip install" in said:
                    pytest.skip(f"`transformers serve` lacks a package: {said.strip().splitlines()[-1]}")
                assert process.poll() is None and time.monotonic() < end, said
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1", str(folder / "model")
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


@pytest.fixture(scope="module")
def clients(server: tuple[str, str]) -> Iterator[tuple[openai.OpenAI, openai.OpenAI, str]]:
    """A client of the proxy, one of the server itself, and the model's name."""
    url, name = server
    options: dict[str, Any] = {"api_key": "k", "max_retries": 0, "timeout": PATIENCE}
    with (
        proxy_server(url, dialect="classic") as proxy,
        openai.OpenAI(base_url=proxy, **options) as through,
        openai.OpenAI(base_url=url, **options) as direct,
    ):
        yield through, direct, name


def test_completions(clients: tuple[openai.OpenAI, openai.OpenAI, str]) -> None:
    through, direct, name = clients
    options: dict[str, Any] = {"model": name, "max_tokens": 24, "temperature": 0}
    prompt = Prompt(PROMPT, "classic")
    raw = direct.completions.create(prompt=prompt.sent, **options).choices[0].text
    reader = CompletionStream(prompt)
    expected = reader.feed(raw) + reader.close()
    whole = through.completions.create(prompt=PROMPT, **options)
    assert raw and whole.choices[0].text == expected
    assert len(whole.model_dump().get("simpy_notes") or ()) == len(reader.notes)
    # The server may put other blanks between the tokens of a stream than of a whole answer.
    raw = _text(direct.completions.create(prompt=prompt.sent, stream=True, **options))
    reader = CompletionStream(prompt)
    expected = reader.feed(raw) + reader.close()
    assert raw and _text(through.completions.create(prompt=PROMPT, stream=True, **options)) == expected


def _text(stream: openai.Stream[Any]) -> str:
    return "".join(chunk.choices[0].text or "" for chunk in stream if chunk.choices)


def test_chat(clients: tuple[openai.OpenAI, openai.OpenAI, str]) -> None:
    through, direct, name = clients
    options: dict[str, Any] = {"model": name, "max_tokens": 24, "temperature": 0}
    mixed = MixedText("classic")
    sent: Any = [{"role": "user", "content": mixed.to_model(MESSAGES[0]["content"]).text}]
    assert sent != MESSAGES
    raw = direct.chat.completions.create(messages=sent, **options).choices[0].message.content or ""
    whole = through.chat.completions.create(messages=MESSAGES, **options).choices[0].message.content
    assert raw and whole == mixed.to_person(raw).text
    streamed = through.chat.completions.create(messages=MESSAGES, stream=True, **options)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in streamed if chunk.choices) == whole


def test_the_servers_own_errors(clients: tuple[openai.OpenAI, openai.OpenAI, str]) -> None:
    through, direct, name = clients
    refused = []
    for client in (direct, through):
        with pytest.raises(openai.APIStatusError) as caught:
            client.completions.create(model=name, prompt=PROMPT, extra_body={"no_such_field": 1})
        refused.append((caught.value.status_code, caught.value.body))
    assert refused[0] == refused[1]


def test_the_wrapper_with_the_same_server(server: tuple[str, str], clients: tuple[openai.OpenAI, openai.OpenAI, str]) -> None:
    url, name = server
    code = DualCode(OpenAIBackend(url, name=name, timeout=PATIENCE), dialect="classic")
    options: dict[str, Any] = {"max_tokens": 24, "temperature": 0}
    whole = code.complete(PROMPT, **options)
    streamed = _text(clients[0].completions.create(model=name, prompt=PROMPT, stream=True, **options))
    assert "".join(code.complete(PROMPT, stream=True, **options)) == streamed
    assert clients[0].completions.create(model=name, prompt=PROMPT, **options).choices[0].text == whole.text
