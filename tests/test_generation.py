"""Local models that are held to their dialect, stopped on tokens and sped up by drafts: small random models, real ``generate``."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra transformers is not installed")
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from dualcode import DualCode  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.fill import FillTokens  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.generation import DrawProcessor, MaskProcessor  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.reply_masks import ProgramMasks, ReplyMasks  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.request_constraint import RequestConstraint  # noqa: E402  # after the libraries that may be missing
from dualcode.backends.transformers_backend import TransformersBackend  # noqa: E402  # after the libraries that may be missing
from dualcode.conversion.prompts import Prompt  # noqa: E402  # after the libraries that may be missing
from simpy_cli.main import main  # noqa: E402  # after the libraries that may be missing
from simpy_grammar.errors import BackendError  # noqa: E402  # after the libraries that may be missing
from tests.small_tokenizers import byte_bpe, sentencepiece_dummy  # noqa: E402  # after the libraries that may be missing
from tests.test_dualcode_backends import _SMALL, Scripted, model, scripted, tokenizer  # noqa: E402  # after the libraries that may be missing
from tokenizer_ext import Codec, TokenizerError, extend  # noqa: E402  # after the libraries that may be missing
from transpiler import Decoder, decode, encode  # noqa: E402  # after the libraries that may be missing

PROMPT = "def f(a):\n    return a +"
SENT = "<def_stmt>f a<block_start><return>a+"
MESSAGES = [{"role": "user", "content": "hello"}]


@cache
def held() -> TransformersBackend:
    """A model that is held to ``classic``; its tables are made once."""
    return TransformersBackend(model(), tokenizer(), dialect="classic", constrain=True)


def held_with(other: Any) -> TransformersBackend:
    """Another model in its place."""
    backend = TransformersBackend(other, tokenizer(), dialect="classic")
    backend._masks, backend.constrain = held()._masks, True
    return backend


def masks() -> Any:
    found = held()._masks
    assert found is not None
    return found


def words(text: str) -> list[int]:
    return list(tokenizer()(text, add_special_tokens=False)["input_ids"])


def beginning(text: str) -> Any:
    """A model that begins with a text and then writes what it likes."""
    ids = words(text)
    return Scripted(model(), lambda new: ids[len(new) : len(new) + 1])


# -------------------------------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("budget", [2, 12])
def test_a_program_ends_within_its_budget(budget: int) -> None:
    code = DualCode(held(), dialect="classic")
    for seed in range(3):
        found = code.complete(PROMPT, max_tokens=budget, temperature=1.0, seed=seed)
        assert decode(SENT + found.raw_text, dialect="classic").startswith(PROMPT)
        assert found.notes == ()
        assert found.usage.generated is not None and found.usage.generated <= budget
        assert found.usage.unspent == budget - found.usage.generated
        assert found.usage.stopped in ("length", "end")


def test_a_unit_ends_where_it_is_whole() -> None:
    code = DualCode(held(), dialect="classic")
    for seed in range(3):
        found = code.complete(PROMPT, max_tokens=24, temperature=1.0, seed=seed, until="statement")
        assert found.text.endswith("\n") and found.text.count("\n") == 1
        assert Decoder(dialect="classic").feed(SENT + found.raw_text) and found.notes == ()  # names may hold what CPython does not take


def test_in_a_chat_the_mask_holds_from_fence_to_fence() -> None:
    opening = "Ok:\n```py\n"
    for seed in range(3):
        code = DualCode(held_with(beginning(opening)), dialect="classic")
        found = code.chat(MESSAGES, max_tokens=40, temperature=1.0, seed=seed)
        block = found.raw_text.removeprefix(opening).partition("\n```")
        assert block[1] and decode(block[0], dialect="classic")
    code = DualCode(held_with(beginning("Prose <block_end> ) is free, 'and ```bash\nls` )")), dialect="classic")
    assert code.chat(MESSAGES, max_tokens=60).raw_text.startswith("Prose <block_end> ) is free, 'and ```bash\nls` )")


def test_near_the_end_of_the_budget_no_block_begins() -> None:
    prose = "\n".join(["One."] * 4)
    code = DualCode(held_with(beginning(prose + "\n```python\nx=(")), dialect="classic")
    found = code.chat(MESSAGES, max_tokens=len(words(prose)) + 6)
    assert "```" not in found.raw_text.removeprefix(prose)


def says(state: Any, text: str) -> list[int]:
    """The ids of a text that the state does not allow, in turn."""
    refused = []
    for number in words(text):
        if not state.mask(1000)[number >> 3] >> (number & 7) & 1:
            refused.append(number)
        state = state.within(number, 1000)
        if state is None:
            break
    return refused


def test_masks_of_replies() -> None:
    begin = ReplyMasks.begin(masks(), "")
    good = "So:\n```py\n<if_stmt>a<block_start>b<block_end>\n```\nand\n\n~~~~simpy\nx='```'\n~~~~\n```bash\n)\n```\n"
    assert says(begin, good) == []
    assert says(begin, "```py\nx=)") != []
    assert says(begin, "```py\nx=(\n```\n") != [], "code that is not whole is closed"
    assert says(begin, "```py\nx='''\n```\n'''") != [], "a string would end the block"
    assert says(begin, "> ```py\n> x=)\n") == [], "code in quotes is free"
    assert says(ReplyMasks.begin(masks(), "Here:\n```python\n<return>f("), "a)\n```\n") == []
    assert says(ReplyMasks.begin(masks(), "Here:\n```python\n<return>f("), "a]") != []
    assert says(ReplyMasks.begin(masks(), "Here:\n```python\nx=1\n"), "```\nDone") == []
    inside = ReplyMasks.begin(masks(), "```py\nx=1")
    assert 0 in masks().constraint.vocabulary.ends and not inside.mask(1000)[0] & 1, "an answer ends after its fence"


def test_masks_are_pure_functions_of_the_prefix() -> None:
    prefix, other = words("b)(c "), words("b<block_end>x=1")

    def fresh() -> RequestConstraint:
        return RequestConstraint(ProgramMasks(masks().constraint.start(SENT)), 50)

    kept = fresh()
    asked = [other[:at] for at in range(len(other))] + [other[:2], prefix[:1], prefix, [], other[:3], prefix[:2]]
    for ids in asked:
        mask, again = kept.mask(ids), fresh().mask(ids)
        assert (mask is None) == (again is None) and (mask is None or bytes(mask) == bytes(again))
    assert kept.mask(prefix) is None, "nothing is said of what must not have come"


@pytest.mark.parametrize("options", [{"num_beams": 3}, {"do_sample": True, "num_return_sequences": 4}], ids=["beams", "batch"])
def test_beams_and_batches(options: dict[str, Any]) -> None:
    ids = torch.tensor([Codec(tokenizer(), dialect="classic").encode(SENT)])
    torch.manual_seed(1)
    processor = MaskProcessor(RequestConstraint(ProgramMasks(masks().constraint.start(SENT)), 10), ids.shape[1])
    processors = transformers.LogitsProcessorList([processor])
    found = model().generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, logits_processor=processors, pad_token_id=0, **options
    )
    texts = [tokenizer().decode(row, skip_special_tokens=True) for row in found]
    assert len(texts) == options.get("num_return_sequences", 1)
    for text in texts:
        assert decode(text, dialect="classic").startswith(PROMPT)


def test_errors_come_before_the_model_is_asked() -> None:
    asked = Scripted(model(), lambda new: [])
    backend = held_with(asked)
    code = DualCode(backend, dialect="classic")
    with pytest.raises(BackendError, match="not the beginning of a program in the dialect classic"):
        code.complete("def f(x):\n    y = x ??\n    return ")
    with pytest.raises(BackendError, match="1 tokens are too few to end the program") as caught:
        code.complete("def f(a):\n    if a:\n        return f(", max_tokens=1)
    assert "max_tokens must be 3 or more" in str(caught.value)
    with pytest.raises(BackendError, match="masks are for one vocabulary"):
        code.complete(PROMPT, assistant_model=model(), assistant_tokenizer=tokenizer())
    assert asked.prompts == []
    plain = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>")
    with pytest.raises(TokenizerError, match="holds no grammar tokens"):
        TransformersBackend(model(), plain, dialect="dense", constrain=True)
    with pytest.raises(BackendError, match="only a local model can be held to the grammar"):
        DualCode("http://127.0.0.1:9/v1", constrain=True)


def test_a_vocabulary_with_a_blank_before_each_text() -> None:
    base = transformers.PreTrainedTokenizerFast(tokenizer_object=sentencepiece_dummy(), eos_token="</s>", pad_token="</s>")
    extended = extend(base, dialect="classic")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=len(extended), bos_token_id=1, eos_token_id=2, n_embd=32, n_layer=2, n_head=4)
    backend = TransformersBackend(transformers.GPT2LMHeadModel(config).eval(), extended, dialect="classic", constrain=True)
    found = DualCode(backend, dialect="classic").complete(PROMPT, max_tokens=12, temperature=1.0, seed=3)
    assert decode(SENT + found.raw_text, dialect="classic").startswith(PROMPT)


def test_the_command_line_holds_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "model"
    model().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    program = tmp_path / "a.py"
    program.write_text(PROMPT, encoding="utf-8")
    capsys.readouterr()
    command = ["complete", str(program), "--model", str(folder), "--dialect", "classic", "--max-tokens", "9", "--constrain", "--usage"]
    assert main(command) == 0
    printed = capsys.readouterr()
    ast.parse(PROMPT + printed.out)
    code = DualCode(str(folder), dialect="classic", constrain=True)
    assert PROMPT + code.complete(PROMPT, max_tokens=9).text == PROMPT + printed.out
    assert "tokens of max_tokens not spent" in printed.err
    assert main(["complete", str(program), "--model", "http://127.0.0.1:9/v1", "--constrain"]) == 2
    assert "only a local model can be held" in capsys.readouterr().err
    command[command.index("--constrain")] = "--valid-python"
    assert main(command) == 0
    valid = DualCode(str(folder), dialect="classic", constrain=True, valid_python=True).complete(PROMPT, max_tokens=9).text
    assert capsys.readouterr().out == valid
    compile(PROMPT + valid, "<answer>", "exec")
    assert main(["complete", str(program), "--model", "http://127.0.0.1:9/v1", "--valid-python"]) == 2
    with pytest.raises(BackendError, match="part of constrain"):
        DualCode(str(folder), dialect="classic", valid_python=True)


# ------------------------------------------------------------------------------------------------------- both ends of an answer


@pytest.mark.parametrize(
    ("prompt", "straying"),
    [('"""Doc."""\n', ".x"), ("x = name ", "s"), ("f(a, ", "+b)"), ("def f(a):\n    return a\n", "<floordiv>b")],
)
def test_a_model_that_would_go_on_with_the_last_line(prompt: str, straying: str) -> None:
    code = DualCode(held_with(beginning(straying)), dialect="classic")
    free = DualCode(TransformersBackend(beginning(straying), tokenizer(), dialect="classic"), dialect="classic")
    assert free.complete(prompt, max_tokens=12).raw_text.startswith(straying)
    for seed in range(2):
        found = code.complete(prompt, max_tokens=12, temperature=1.0, seed=seed)
        assert found.notes == () and not found.raw_text.startswith(straying)
        text = "".join(char if char.isascii() else "e" for char in found.text)  # the grammar alone takes them all in names
        assert encode(prompt + text, verify=False) == Prompt(prompt, "classic").sent + "".join(
            char if char.isascii() else "e" for char in found.raw_text
        )


FILL = FillTokens("<A>", "<B>", "<C>", ends=("<D>",))


@cache
def filler(dialect: str) -> TransformersBackend:
    """A random model that fills gaps as valid Python."""
    base = transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe(), eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    base.add_tokens([transformers.AddedToken(text, normalized=False) for text in (*FILL.needed, *FILL.ends)])
    extended = base if dialect == "compact" else extend(base, dialect=dialect)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(vocab_size=len(extended), bos_token_id=0, eos_token_id=0, **_SMALL)
    random_model = transformers.LlamaForCausalLM(config).eval()
    return TransformersBackend(random_model, extended, dialect=dialect, constrain=True, valid_python=True, fill=FILL)


@pytest.mark.parametrize("until", [None, "statement"])
@pytest.mark.parametrize("dialect", ["classic", "compact"])
def test_a_gap_is_filled_so_that_the_suffix_follows(dialect: str, until: str | None) -> None:
    code = DualCode(filler(dialect), dialect=dialect)
    for seed, (prefix, suffix) in enumerate([("def f(a):\n    x = ", "\n    return x\n"), ("x = f(a, ", " c)\n")]):
        found = code.infill(prefix, suffix, max_tokens=12, temperature=1.0, seed=seed, until=until)
        assert found.notes == () and found.usage.generated is not None and found.usage.generated <= 12
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(prefix + found.text + suffix, "<answer>", "exec")


def test_gaps_that_cannot_be_filled_are_refused_before_the_model_is_asked() -> None:
    code = DualCode(filler("classic"), dialect="classic")
    with pytest.raises(BackendError, match="the suffix does not go on with the prefix"):
        code.infill("x = ", ") ?? (\n")
    with pytest.raises(BackendError, match="fills the gap within 1 tokens"):
        code.infill("def f(a):\n    try:\n        ", "\n\nx = 1\n", max_tokens=1)
    with pytest.raises(BackendError, match="no text goes on with what this beginning ends with"):
        code.complete("x = 1\nelse")
    held_back = DualCode(held(), dialect="classic")
    with pytest.raises(BackendError, match="cannot infill"):
        held_back.infill("a", "b")


# --------------------------------------------------------------------------------------------------------------- stopping


def test_the_model_stops_on_the_token_that_shows_the_end() -> None:
    whole = "1<block_end><def_stmt>g<block_start><pass><block_end>" * 8
    code = DualCode(TransformersBackend(scripted(whole), tokenizer(), dialect="classic"), dialect="classic")
    found = code.complete(PROMPT, until="function", max_tokens=100)
    assert (found.text, found.usage.stopped) == (" 1\n", "until")
    assert found.usage.generated == len(words("1<block_end>")), "it has written more"
    assert found.usage.unspent == 100 - found.usage.generated


# -------------------------------------------------------------------------------------------------------------- speculation


def assistant() -> Any:
    """Another model with the same vocabulary."""
    torch.manual_seed(7)
    return transformers.GPT2LMHeadModel(model().config).eval()


SPECULATION: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "prompt lookup": ("gpt2", lambda: {"prompt_lookup_num_tokens": 4}),
    "the model itself": ("gpt2", lambda: {"assistant_model": model()}),
    "another model": ("gpt2", lambda: {"assistant_model": assistant()}),
    "early exit": ("llama", lambda: {"assistant_early_exit": 1}),
}


@pytest.mark.parametrize("constrain", [False, True], ids=["free", "held"])
@pytest.mark.parametrize("name", SPECULATION)
def test_drafts_change_no_text(name: str, constrain: bool) -> None:
    architecture, options = SPECULATION[name]
    base = model(architecture)
    backend = held_with(base) if constrain else TransformersBackend(base, tokenizer(), dialect="classic")
    code = DualCode(backend, dialect="classic")
    plain = code.complete(PROMPT, max_tokens=24)
    drafted = code.complete(PROMPT, max_tokens=24, **options())
    assert drafted.raw_text == plain.raw_text
    assert plain.usage.steps == plain.usage.generated == drafted.usage.generated
    assert drafted.usage.steps is not None and plain.usage.steps is not None and drafted.usage.steps <= plain.usage.steps
    if name == "the model itself":
        assert drafted.usage.steps < plain.usage.steps, "no draft was accepted"
        assert drafted.usage.tokens_per_step is not None and drafted.usage.tokens_per_step > 1
        assert "tokens per step" in code.usage.summary()


def test_drafts_and_units_go_together() -> None:
    answer = "1<line_sep>b=2<line_sep>" * 6
    code = DualCode(TransformersBackend(scripted(answer), tokenizer(), dialect="classic"), dialect="classic")
    found = code.complete(PROMPT, until="statement", max_tokens=50, prompt_lookup_num_tokens=5)
    assert (found.text, found.usage.stopped) == (" 1\n", "until")


# ------------------------------------------------------------------------------------------------------------- valid Python


@cache
def valid() -> TransformersBackend:
    """A model that is held to valid Python."""
    return TransformersBackend(model(), tokenizer(), dialect="classic", constrain=True, valid_python=True)


@pytest.mark.parametrize("options", [{"temperature": 1.0}, {"temperature": 1.0, "top_p": 0.3}, {}], ids=["drawn", "nucleus", "greedy"])
def test_a_program_is_valid_python(options: dict[str, Any]) -> None:
    code = DualCode(valid(), dialect="classic")
    for seed in range(2):
        found = code.complete(PROMPT, max_tokens=20, seed=seed, **options)
        assert found.notes == () and found.usage.generated is not None and found.usage.generated <= 20
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a literal is called, for example
            compile(PROMPT + found.text, "<answer>", "exec")


def test_a_model_that_knows_no_simpy_is_held_to_python() -> None:
    code = DualCode(TransformersBackend(model(), tokenizer(), dialect="python", constrain=True, valid_python=True), dialect="python")
    for seed in range(2):
        found = code.complete("def f(a):\n    if a:\n", max_tokens=24, temperature=1.0, seed=seed)
        assert found.notes == () and found.usage.generated is not None and found.usage.generated <= 24
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(f"def f(a):\n    if a:\n{found.text}", "<answer>", "exec")


def test_drafts_change_nothing_of_valid_python() -> None:
    code = DualCode(valid(), dialect="classic")
    plain = code.complete(PROMPT, max_tokens=16)
    assert code.complete(PROMPT, max_tokens=16, prompt_lookup_num_tokens=4).raw_text == plain.raw_text


def test_ids_that_are_refused_are_drawn_again() -> None:
    class Even:
        asked = 0

        def within(self, number: int, budget: int) -> Even | None:
            return self if number % 2 == 0 else None

        def mask(self, budget: int) -> bytes:
            self.asked += 1
            return b"\x55"

        def rough_mask(self, budget: int) -> bytes:
            return b"\xff"

        def sure(self, budget: int) -> int | None:
            return None

    none = torch.zeros((1, 0), dtype=torch.long)
    start = Even()
    constraint = RequestConstraint(start, 4, asks=True)
    draw = DrawProcessor(constraint, 0, transformers.LogitsProcessorList(), samples=False)
    scores = torch.tensor([[1.0, 5.0, 2.0, 4.0, 0.0, 3.0, 0.0, 1.0]])
    assert draw(none, scores).argmax() == 2
    assert not start.asked  # three are refused: the rough mask is enough
    assert draw(none, scores + torch.tensor([0, 0, 0, 0, 0, 0, 0, 9.0])).argmax() == 2
    assert start.asked
    torch.manual_seed(0)
    draw = DrawProcessor(constraint, 0, transformers.LogitsProcessorList(), samples=True)
    drawn = [int(draw(none, scores).argmax()) for _ in range(500)]
    expected = scores[0, ::2].softmax(0)  # as if the others were not there
    for number in range(0, 8, 2):
        assert abs(drawn.count(number) / 500 - float(expected[number // 2])) < 0.07
    assert set(drawn) == {0, 2, 4, 6}
