"""The backends: ``transformers.generate`` with real architectures built small, and OpenAI's client against scripted answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.detokenizer import Detokenizer  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.fill import KNOWN, FillTokens  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Request  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # after the libraries that may be missing
from simpy_cli.main import main  # noqa: E402  # after the libraries that may be missing
from simpy_grammar.errors import BackendError  # noqa: E402  # after the libraries that may be missing
from tests.small_tokenizers import byte_bpe, sentencepiece_dummy  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import Codec, extend, extend_model  # noqa: E402  # after the libraries that may be missing

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


class Scripted:
    """A model that writes what a rule says; the rule is called with the ids generated so far and gives the next one, or nothing."""

    def __init__(self, model: Any, rule: Callable[[list[int]], Sequence[int]]) -> None:
        self._model = model
        self._rule = rule
        self.prompts: list[list[int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, **options: Any) -> Any:
        start = options["input_ids"].shape[1]
        self.prompts.append(options["input_ids"][0].tolist())

        def prefer(ids: Any, scores: Any) -> Any:
            for number in self._rule(ids[0, start:].tolist())[:1]:
                scores = scores.clone()
                scores[:, number] += 1e6
            return scores

        processors = [prefer, *options.pop("logits_processor", [])]
        return self._model.generate(**options, logits_processor=transformers.LogitsProcessorList(processors))


def scripted(text: str, base: Any = None) -> Any:
    """A model that writes a text and ends."""
    ids = [*Codec(tokenizer(), dialect="classic").encode(text), 0]
    return Scripted(base or model(), lambda new: ids[len(new) : len(new) + 1])


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
    assert (whole.usage.estimated, whole.usage.tokens_in) == (False, ids.shape[1])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_forced_tokens_come_out_as_python(name: str) -> None:
    backend = TransformersBackend(scripted(ANSWER, model(name)), tokenizer(), dialect="classic")
    code = DualCode(backend, dialect="classic")
    assert code.complete(PROMPT).text == " 1\n\n\ndef g():\n    return 'ä🙂'\n"
    assert code.complete(PROMPT, until="block").text == " 1\n"
    assert asyncio.run(code.acomplete(PROMPT)).text == " 1\n\n\ndef g():\n    return 'ä🙂'\n"


def test_stop_words_and_sampling() -> None:
    backend = TransformersBackend(scripted("abc = defgh"), tokenizer(), dialect="classic")
    assert "".join(backend.run(Request(COMPLETE, prompt="a", options={"stop": ["= de"]}))) == "abc "
    free = TransformersBackend(model(), tokenizer(), dialect="classic")
    options = {"temperature": 0.8, "top_p": 0.9, "seed": 1, "max_tokens": 6}
    texts = {"".join(free.run(Request(COMPLETE, prompt="a", options=options))) for _ in range(2)}
    assert len(texts) == 1


def test_chats_without_and_with_a_template() -> None:
    answer = "```python\n<if_stmt>a<block_start>b()<block_end>\n```"
    backend = TransformersBackend(scripted_plain(answer), tokenizer(), dialect="classic")
    code = DualCode(backend, dialect="classic")
    messages = [{"role": "user", "content": "hello"}]
    assert code.chat(messages).text == "```python\nif a:\n    b()\n```"
    templated = extend(tokenizer(), dialect="classic")
    templated.chat_template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}"
    backend = TransformersBackend(scripted_plain("ok"), templated, dialect="classic")
    assert "".join(backend.run(Request(CHAT, messages=messages))) == "ok"


def scripted_plain(text: str) -> Any:
    ids = [*tokenizer()(text, add_special_tokens=False)["input_ids"], 0]
    return Scripted(model(), lambda new: ids[len(new) : len(new) + 1])


def test_closing_stops_the_model_and_errors_are_ours() -> None:
    backend = TransformersBackend(Scripted(model(), lambda new: [70]), tokenizer(), dialect="classic")
    stream = DualCode(backend, dialect="classic").complete("a", stream=True, max_tokens=500)
    stream.close()
    pieces = backend.run(Request(COMPLETE, prompt="a", options={"max_tokens": 500}))
    next(pieces)
    pieces.close()

    def fail(ids: Sequence[int]) -> Sequence[int]:
        raise RuntimeError("broken rule")

    with pytest.raises(BackendError, match="broken rule"):
        list(TransformersBackend(Scripted(model(), fail), tokenizer(), dialect="classic").run(Request(COMPLETE, prompt="a")))
    with pytest.raises(BackendError, match="cannot infill"):
        list(backend.run(Request(INFILL, prompt="a")))
    with pytest.raises(BackendError, match="cannot infill"):
        DualCode(backend, dialect="classic").infill("a", "b")


def filling(fill: FillTokens, answer: str, dialect: str, plain: Any = None) -> tuple[TransformersBackend, list[list[int]]]:
    """A model that fills a gap with some text, ends with the first of its tokens for that and goes on; and the prompts that it got."""
    base = transformers.PreTrainedTokenizerFast(tokenizer_object=plain or byte_bpe(), eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    added = [text for text in dict.fromkeys((*fill.needed, *fill.ends)) if text != "<|endoftext|>"]
    base.add_tokens([transformers.AddedToken(text, normalized=False) for text in added])
    extended = base if dialect == "compact" else extend(base, dialect=dialect)
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=len(extended), bos_token_id=0, eos_token_id=0, n_embd=32, n_layer=2, n_head=4)
    ids = (
        extended(answer, add_special_tokens=False)["input_ids"] if dialect == "compact" else Codec(extended, dialect=dialect).encode(answer)
    )
    ids = [*ids, extended.convert_tokens_to_ids(next(iter(fill.ends), fill.prefix)), *ids]
    scripted_model = Scripted(transformers.GPT2LMHeadModel(config).eval(), lambda new: ids[len(new) : len(new) + 1])
    return TransformersBackend(scripted_model, extended, dialect=dialect), scripted_model.prompts


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("dialect", ["classic", "compact"])
def test_a_model_fills_gaps_with_the_tokens_that_it_knows(name: str, dialect: str) -> None:
    fill = KNOWN[name]
    prefix, suffix = "def f(a):\n  if a:\n    x = '<fim_middle>'\n    ", "\n  return 0\n"
    answer = "<line_sep>y=2<if_stmt>a<block_start>b()<block_end>" if dialect == "classic" else "y = 2\n    if a:\n      b()"
    backend, prompts = filling(fill, answer, dialect)
    assert backend.tasks == {COMPLETE, CHAT, INFILL}
    result = DualCode(backend, dialect=dialect).infill(prefix, suffix, max_tokens=200)
    assert (result.text, result.raw_text, result.notes) == ("y = 2\n    if a:\n      b()", answer, ())
    stream = DualCode(backend, dialect=dialect).infill(prefix, suffix, stream=True, max_tokens=200)
    assert "".join(stream) == result.text
    sent = ("<def_stmt>f a<block_start><if_stmt>a<block_start>x='<fim_middle>'", "<block_end><return>0<block_end>")
    before, after = sent if dialect == "classic" else (prefix, suffix)
    expected = fill.prefix + before + fill.suffix + after + fill.middle
    if fill.suffix_first:
        expected = fill.suffix + after + fill.prefix + before + fill.middle
    asked = prompts[0]
    assert backend.tokenizer.decode(asked) == expected
    held = [backend.tokenizer.convert_tokens_to_ids(text) for text in fill.needed]
    assert sorted(number for number in asked if number in held) == sorted(held), "text became a token for filling gaps"


def test_tokens_of_ones_own() -> None:
    fill = FillTokens("<A>", "<B>", "<C>", ends=("<D>",))
    base, _ = filling(fill, "2", "compact")
    assert INFILL not in base.tasks
    backend = TransformersBackend(base.model, base.tokenizer, fill=fill)
    assert DualCode(backend).infill("x = 1 + ", "\n").text == "2"
    with pytest.raises(BackendError, match="no token '<fim_prefix>'"):
        TransformersBackend(base.model, base.tokenizer, fill="starcoder")
    with pytest.raises(BackendError, match="known as 'nobody'"):
        TransformersBackend(base.model, base.tokenizer, fill="nobody")


def test_no_blank_comes_between_a_token_and_the_text() -> None:
    """As SentencePiece puts one before each text."""
    backend, prompts = filling(KNOWN["codellama"], "2", "compact", sentencepiece_dummy())
    assert DualCode(backend).infill("x = (1 + ", ")\ny = 3\n", max_tokens=20).text == "2"
    suffix = prompts[0].index(backend.tokenizer.convert_tokens_to_ids("▁<SUF>"))
    assert backend.tokenizer.convert_ids_to_tokens(prompts[0][suffix + 1]).startswith(")")


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
    assert content["usage"]["calls"][0]["tokens_out"] <= 4
    assert main([*command, "--usage"]) == 0
    assert "1 call: " in capsys.readouterr().err
    assert main(["chat", "hello", "--model", str(folder), "--max-tokens", "3"]) == 0
    assert main(["complete", str(program), "--model", str(tmp_path / "none")]) == 2
    assert "no backend knows" in capsys.readouterr().err
