"""The backends: ``transformers.generate`` with real architectures built small, and OpenAI's client against scripted answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.protocol import CHAT, COMPLETE, Request  # noqa: E402
from dualcode.backends.transformers_backend import Detokenizer, TransformersBackend  # noqa: E402
from simpy_cli.main import main  # noqa: E402
from simpy_grammar.errors import BackendError  # noqa: E402
from tests.small_tokenizers import byte_bpe  # noqa: E402
from tokenizer_ext import Codec, extend, extend_model  # noqa: E402

_SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
ARCHITECTURES = {
    "gpt2": ("GPT2Config", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 4}),
    "llama": ("LlamaConfig", "LlamaForCausalLM", _SMALL),
    "qwen2": ("Qwen2Config", "Qwen2ForCausalLM", _SMALL),
}
ANSWER = "1<block_end><def_stmt>g<block_start><return>'ä🙂'<block_end>"
PROMPT = "def f(a):\n    return a +"


@cache
def tokenizer() -> Any:
    plain = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    return extend(plain, dialect="classic")


@cache
def model(name: str = "gpt2") -> Any:
    config_class, model_class, options = ARCHITECTURES[name]
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(vocab_size=len(byte_bpe().get_vocab()), bos_token_id=0, eos_token_id=0, **options)
    return extend_model(getattr(transformers, model_class)(config).eval(), tokenizer(), dialect="classic")


def scripted(text: str) -> Any:
    """A rule of forced tokens that makes any model write a text and end."""
    ids = [*Codec(tokenizer(), dialect="classic").encode(text), 0]
    return lambda new: ids[len(new) : len(new) + 1]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_real_models_generate(name: str) -> None:
    backend = TransformersBackend(model(name), tokenizer(), dialect="classic")
    code = DualCode(backend, dialect="classic")
    whole = code.complete(PROMPT, max_tokens=12)
    stream = code.complete(PROMPT, max_tokens=12, stream=True)
    assert "".join(stream) == whole.text
    assert stream.result is not None
    assert stream.result.raw_text == whole.raw_text
    ids = torch.tensor([Codec(tokenizer(), dialect="classic").encode("<def_stmt>f a<block_start><return>a+")])
    expected = model(name).generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=0)
    assert whole.raw_text == tokenizer().decode(expected[0, ids.shape[1] :], skip_special_tokens=True)
    assert (whole.entry.estimated, whole.entry.tokens_in) == (False, ids.shape[1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_forced_tokens_come_out_as_python(name: str) -> None:
    backend = TransformersBackend(model(name), tokenizer(), dialect="classic", forced=scripted(ANSWER))
    code = DualCode(backend, dialect="classic")
    assert code.complete(PROMPT).text == " 1\n\n\ndef g():\n    return 'ä🙂'\n"
    assert code.complete(PROMPT, until="block").text == " 1\n"
    assert asyncio.run(code.acomplete(PROMPT)).text == " 1\n\n\ndef g():\n    return 'ä🙂'\n"


def test_processors_and_stopping_rules_are_asked() -> None:
    seen: list[int] = []

    def only_x(ids: Any, scores: Any) -> Any:
        masked = torch.full_like(scores, float("-inf"))
        masked[:, tokenizer()("x", add_special_tokens=False)["input_ids"][0]] = 0
        return masked

    def three(ids: Sequence[int]) -> bool:
        seen.append(len(ids))
        return len(ids) >= 3

    backend = TransformersBackend(model(), tokenizer(), dialect="classic", logits_processors=[only_x], stopping=[three])
    assert "".join(backend.run(Request(COMPLETE, prompt="a="))) == "xxx"
    assert seen == [1, 2, 3]


def test_stop_words_and_sampling() -> None:
    backend = TransformersBackend(model(), tokenizer(), dialect="classic", forced=scripted("abc = defgh"))
    assert "".join(backend.run(Request(COMPLETE, prompt="a", options={"stop": ["= de"]}))) == "abc "
    free = TransformersBackend(model(), tokenizer(), dialect="classic")
    options = {"temperature": 0.8, "top_p": 0.9, "seed": 1, "max_tokens": 6}
    texts = {"".join(free.run(Request(COMPLETE, prompt="a", options=options))) for _ in range(2)}
    assert len(texts) == 1


def test_chats_without_and_with_a_template() -> None:
    answer = "```python\n<if_stmt>a<block_start>b()<block_end>\n```"
    backend = TransformersBackend(model(), tokenizer(), dialect="classic", forced=scripted_plain(answer))
    code = DualCode(backend, dialect="classic")
    messages = [{"role": "user", "content": "hello"}]
    assert code.chat(messages).text == "```python\nif a:\n    b()\n```"
    templated = extend(tokenizer(), dialect="classic")
    templated.chat_template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}"
    backend = TransformersBackend(model(), templated, dialect="classic", forced=scripted_plain("ok"))
    assert "".join(backend.run(Request(CHAT, messages=messages))) == "ok"


def scripted_plain(text: str) -> Any:
    ids = [*tokenizer()(text, add_special_tokens=False)["input_ids"], 0]
    return lambda new: ids[len(new) : len(new) + 1]


def test_closing_stops_the_model_and_errors_are_ours() -> None:
    backend = TransformersBackend(model(), tokenizer(), dialect="classic", forced=lambda new: [70])
    stream = DualCode(backend, dialect="classic").complete("a", stream=True, max_tokens=500)
    stream.close()
    pieces = backend.run(Request(COMPLETE, prompt="a", options={"max_tokens": 500}))
    next(pieces)
    pieces.close()

    def fail(ids: Sequence[int]) -> Sequence[int]:
        raise RuntimeError("broken rule")

    with pytest.raises(BackendError, match="broken rule"):
        list(TransformersBackend(model(), tokenizer(), dialect="classic", forced=fail).run(Request(COMPLETE, prompt="a")))
    with pytest.raises(BackendError, match="cannot infill"):
        list(backend.run(Request("infill", prompt="a")))


def test_characters_of_several_tokens_come_whole() -> None:
    text = "a🙂漢字 <def_stmt> é"
    ids = tokenizer()(text, add_special_tokens=False)["input_ids"]
    reader = Detokenizer(tokenizer())
    pieces = [reader.feed([number]) for number in ids]
    assert "".join([*pieces, reader.close()]) == text
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)


def test_the_command_line_completes_with_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    model().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    program = tmp_path / "a.py"
    program.write_text(PROMPT, encoding="utf-8")
    capsys.readouterr()
    command = ["complete", str(program), "--model", str(folder), "--dialect", "classic", "--max-tokens", "4"]
    assert main([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["ledger"]["calls"][0]["tokens_out"] <= 4
    assert main([*command, "--ledger"]) == 0
    assert "1 call: " in capsys.readouterr().err
    assert main(["chat", "hello", "--model", str(folder), "--max-tokens", "3"]) == 0
    assert main(["complete", str(program), "--model", str(tmp_path / "none")]) == 2
    assert "no backend knows" in capsys.readouterr().err
