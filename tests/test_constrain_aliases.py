"""Masks of dialects with aliases of names: which alias may stand where, and what is bound after it."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings

from simpy_grammar.aliases import aliases
from simpy_grammar.dialect import Dialect
from simpy_grammar.simpy_lexer import SimPyReader
from tests.completions import differences
from tests.programs import programs
from tests.small_tokenizers import SMALL
from tests.test_aliases import lengthened
from tests.test_constrain import PROGRAM
from tokenizer_ext import extend
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, State, Suffix
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.learned_tokens import LearnedTokens
from transpiler import decode, encode

DENSE, CLASSIC, NEWLINE = "dense-aliases-4", "classic-aliases-4", "dense-newline-aliases-4"
LEARNED = (
    *(".<n0>(", "<n1>.<n0>=", ".<n0>", "=<n0>", "<n0> <n1>", "<n2> "),
    *("_parts<n0>=", "_parts<n1>=<n0>.", "a<n0>=<n0>.b<n1>", "_<n2>", "many<n3>", "<n1>=<n1>"),
)


@cache
def made(tokenizer: str, dialect: str, valid_python: bool = False) -> tuple[Codec, Constraint]:
    """The codec and the constraint of a small tokenizer with learned tokens that hold aliases."""
    extended = extend(SMALL[tokenizer](), dialect=dialect, learned=LearnedTokens(LEARNED, "small", dialect))
    return Codec(extended, dialect=dialect), Constraint(extended, dialect=dialect, ends=(), valid_python=valid_python)


def aliased(codec: Codec) -> list[int]:
    """The ids that hold an alias."""
    return [number for text, number in codec.own.items() if any(alias in text for alias in aliases(4))]


def allowed(prefix: str, dialect: str = DENSE) -> str:
    """The numbers of the aliases that may come after a text."""
    codec, constraint = made("tiktoken_small", dialect)
    mask = constraint.start(prefix).mask()
    return "".join(str(i) for i, alias in enumerate(aliases(4)) if codec.own[alias] in mask)


def written(state: State, codec: Codec, text: str) -> State | None:
    """The state after the ids of a text; ``None`` if one is refused."""
    found: State | None = state
    for number in codec.encode(text):
        found = found.after(number) if found is not None else None
    return found


@pytest.mark.parametrize("dialect", [DENSE, CLASSIC, NEWLINE, "dense-aliases-64"])
@pytest.mark.parametrize("tokenizer", ["byte_bpe", "sentencepiece_dummy"])
def test_nothing_of_a_program_with_aliases_is_refused(tokenizer: str, dialect: str) -> None:
    codec, constraint = made(tokenizer, dialect)
    simpy = encode(lengthened(PROGRAM), dialect=dialect, verify=False)
    state = constraint.start()
    for number in codec.encode(simpy):
        assert number in state.mask()
        state = state.advance(number)
    assert state.may_end()
    assert "<n3>" in simpy


@given(programs())
@settings(max_examples=20)
def test_nothing_of_random_programs_is_refused(program: str) -> None:
    codec, constraint = made("byte_bpe", DENSE)
    state = constraint.start()
    for number in codec.encode(encode(lengthened(program), dialect=DENSE)):
        assert number in state.mask()
        state = state.advance(number)
    assert state.may_end()


@pytest.mark.parametrize(
    ("prefix", "numbers"),
    [
        # A name is under way: it may bind the next alias.
        ("a", "0"),
        ("a<n0>=b", "1"),
        ("a<n0>=b<n1>=c<n2>=d<n3>=e", ""),
        ("f(a<n0> i", "1"),
        ("x=f", "0"),
        ("é", "0"),
        ("a<n0>=f'{b", "1"),
        ("x=1 .imag", "0"),
        ("a<n0>=1 .b", "1"),
        ("<import_from_stmt>a<n0> b", "1"),
        # None is: bound ones may be referred to, where a name may stand.
        ("a=", ""),
        ("a<n0>=", "0"),
        ("a<n0>=b<n1>=", "01"),
        ("f(a<n0> ", "0"),
        ("a<n0>.", "0"),
        ("a<n0>=f'{", "0"),
        ("a<n0>=f'{b:>{", "0"),
        ("<import_from_stmt>a<n0> ", "0"),
        ("a<n0>=a<<", "0"),
        ("a<n0>=1+", "0"),
        # Neither may be.
        ("a<n0>", ""),
        ("a<n0>=b<n1>", ""),
        ("a<n0>=<n0>", ""),
        ("a<n0>=1 .", ""),
        ("a<n0>=1", ""),
        ("a<n0>=0x1f", ""),
        ("None", ""),
        ("a<n0>=True", ""),
        ("a<n0>=a<", ""),
        ("a<n0>='", ""),
        ("a<n0>='b", ""),
        ("a<n0>=f'b", ""),
        ("a<n0>=f'{b!r", ""),
        ("a<n0>=f'{b:", ""),
        ("a<n0># b", ""),
        ("'<n0>';a='<n0>'+", ""),
        # The beginning may have bound them in any order.
        ("a<n2>=b", "0"),
        ("a<n2>=b<n0>=c", "1"),
        ("a<n2>=", "2"),
    ],
)
def test_which_aliases_may_come(prefix: str, numbers: str) -> None:
    assert allowed(prefix) == numbers


@pytest.mark.parametrize(
    ("prefix", "refused"),
    [
        ("a_of", [".<n0>(", "=<n0>", "<n0> <n1>", "<n1>=<n1>", "_<n2>", "_parts<n1>=<n0>."]),
        ("a<n0>=b_of", ["_parts<n0>=", "<n0> <n1>", "_<n2>", "many<n3>"]),
        ("a<n0>=", ["<n1>.<n0>=", "<n2> ", "a<n0>=<n0>.b<n1>", "<n0> <n1>"]),
        ("a<n0>=b<n1>=", ["<n2> ", "a<n0>=<n0>.b<n1>"]),
    ],
)
def test_learned_tokens_bind_for_what_follows_in_them(prefix: str, refused: list[str]) -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    state = constraint.start(prefix)
    for text in refused:
        assert codec.own[text] not in state.mask()
        assert state.after(codec.own[text]) is None


def test_learned_tokens_bind_a_name_that_has_begun_before_them() -> None:
    codec, constraint = made("tiktoken_small", DENSE, valid_python=True)
    state = constraint.start("a_of_many").advance(codec.own["_parts<n0>="])
    assert codec.own["<n0>"] in state.mask()
    state = constraint.start("a<n0>=b_of_many").advance(codec.own["_parts<n1>=<n0>."])
    assert [text for text in aliases(4) if codec.own[text] in state.mask()] == ["<n0>", "<n1>"]
    state = constraint.start("x=").advance(codec.own["a<n0>=<n0>.b<n1>"])
    assert written(state, codec, "=<n1>.<n0>") is not None


@pytest.mark.parametrize(("tokenizer", "dialect"), [("tiktoken_small", DENSE), ("sentencepiece_dummy", CLASSIC), ("byte_bpe", NEWLINE)])
def test_masks_with_aliases_are_what_the_reader_takes(tokenizer: str, dialect: str) -> None:
    codec, constraint = made(tokenizer, dialect)
    rng = random.Random(f"{tokenizer} {dialect}")
    program = codec.encode(encode(lengthened(PROGRAM), dialect=dialect, verify=False))
    tried = aliased(codec)
    found: list[str] = []
    for length in rng.sample(range(len(program)), 5):
        state = constraint.start()
        for number in program[:length]:
            state = state.advance(number)
        found += differences(codec, constraint, program[:length], state, tried)[1]
    assert not found


@pytest.mark.parametrize(("tokenizer", "dialect"), [("tiktoken_small", CLASSIC), ("byte_bpe", DENSE)])
def test_masks_of_random_texts_with_aliases_are_what_the_reader_takes(tokenizer: str, dialect: str) -> None:
    codec, constraint = made(tokenizer, dialect)
    rng = random.Random(f"{tokenizer} {dialect}")
    tried = aliased(codec)
    found: list[str] = []
    state, ids = constraint.start(), list[int]()
    for step in range(30):
        mask = state.mask()
        plain = [number for number in mask if number in codec.own or 32 <= number < 127]
        with_alias = [number for number in tried if number in mask]
        ids.append(rng.choice(with_alias if with_alias and rng.random() < 0.5 else plain))
        state = state.advance(ids[-1])
        if step % 6 == 5:
            others = rng.sample(sorted(constraint.vocabulary.spellings.symbols), 10)
            found += differences(codec, constraint, ids, state, [*tried, *others])[1]
    assert not found


def test_what_is_bound_belongs_to_a_state() -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    state = constraint.start("a")
    bound = state.advance(codec.own["<n0>"]).advance(ord("="))
    other = state.advance(ord("="))
    assert codec.own["<n0>"] in bound.mask() and codec.own["<n0>"] not in other.mask()
    assert codec.own["<n0>"] in state.mask()
    assert bound.mask() == constraint.start("a<n0>=").mask()


@pytest.mark.parametrize("valid_python", [False, True])
def test_a_text_leads_to_the_state_of_its_ids(valid_python: bool) -> None:
    codec, constraint = made("byte_bpe", DENSE, valid_python)
    source = PROGRAM.replace("yield from g", "await g").replace(' + b"', ' + "')
    ids = codec.encode(encode(lengthened(source), dialect=DENSE))
    state = constraint.start()
    for length, number in enumerate(ids):
        if length % 25 == 0:
            started = constraint.start(codec.decode(ids[:length]))
            assert started.mask() == state.mask()
            assert [reading.bound for reading in started._readings] == [reading.bound for reading in state._readings]
        state = state.advance(number)


@pytest.mark.parametrize("dialect", [DENSE, CLASSIC])
def test_generations_with_aliases_end_inside_their_budget(dialect: str) -> None:
    codec, constraint = made("byte_bpe", dialect)
    rng = random.Random(dialect)
    bindings = 0
    for budget in (1, 4, 12, 40, 40):
        state, ids = constraint.start(), list[int]()
        for left in range(budget, 0, -1):
            mask = state.mask(budget=left)
            with_alias = [number for number in aliased(codec) if number in mask]
            ids.append(rng.choice(with_alias if with_alias and rng.random() < 0.5 else list(mask)))
            state = state.advance(ids[-1])
            assert state.least() < left
        assert state.may_end()
        reader = SimPyReader(Dialect.load(dialect))
        reader.read_all(codec.decode(ids))
        bindings += reader._bindings is not None and len(reader._bindings.names)
    assert bindings


@pytest.mark.parametrize(
    ("prefix", "goes_on", "does_not"),
    [
        ("<def_stmt>f name<n0> ", "b", "<n0> "),
        ("<def_stmt>f name<n0> b ", "names ", "<n0> "),
        ("f(name<n0>=1 ", "b=", "<n0>="),
        ("x.name<n0>;f(name=1 ", "b=", "<n0>="),
        ("x.name<n0>;f(<n0>=1 ", "names=", "name="),
        ("<def_stmt>f name<n0><global>", "b", "<n0>;"),
        ("__debug__<n0>;x.a;", "x.a=1", "<n0>=1"),
        ("1 .name<n0>;f(name=1 ", "b=", "<n0>="),
        ("f(x.b name<n0>=1 ", "b=", "<n0>="),
    ],
)
def test_rules_of_valid_python_see_names(prefix: str, goes_on: str, does_not: str) -> None:
    codec, constraint = made("tiktoken_small", DENSE, valid_python=True)
    state = constraint.start(prefix)
    assert written(state, codec, does_not) is None
    assert written(state, codec, goes_on) is not None
    plain = made("tiktoken_small", DENSE)[1].start(prefix)
    assert written(plain, codec, does_not) is not None


def test_generations_of_valid_python_with_aliases_end_inside_their_budget() -> None:
    codec, constraint = made("byte_bpe", CLASSIC, valid_python=True)
    rng = random.Random(3)
    seen = 0
    for budget in (8, 30, 30):
        state, ids = constraint.start(), list[int]()
        for left in range(budget, 0, -1):
            mask = state.mask(budget=left)
            with_alias = [number for number in aliased(codec) if number in mask]
            drawn = [*rng.sample(with_alias, min(3, len(with_alias))), *rng.sample(list(mask), min(8, len(mask)))]
            steps = ((number, state.within(number, left)) for number in (*drawn, *(state.way(left) or ())[:1]))
            number, state = next((number, after) for number, after in steps if after is not None)
            ids.append(number)
        assert state.may_end()
        compile(decode(codec.decode(ids), dialect=CLASSIC), "<generated>", "exec")
        seen += sum(number in aliased(codec) for number in ids)
    assert seen


def test_a_suffix_may_refer_to_what_is_bound_before_it() -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    suffix = Suffix(";b=<n0>")
    state = constraint.start("a").before(suffix)
    assert not state.may_end()
    assert state.advance(codec.own["<n0>"]).may_end()
    binding = Suffix(";b<n0>=<n0>")
    assert constraint.start("a").before(binding).may_end()
    assert not constraint.start("a<n0>").before(binding).may_end()


def test_a_lead_lets_a_name_that_must_not_grow_bind_nothing() -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    state = constraint.start("c<n0>;f(a").leading(lambda text: text[0] in " )")
    assert codec.own["<n1>"] not in state.mask() and state.after(codec.own["<n1>"]) is None
    assert codec.own["<n0>"] in state.advance(ord(" ")).mask()


@pytest.mark.parametrize(
    ("prefix", "column", "hint"),
    [
        ("x=<n1>", 3, "the alias <n1> is not bound; NAME<n1> binds it"),
        ("a<n0>=b<n0>", 8, "the alias <n0> is bound already"),
        ("a<n0>=1<n0>", 8, "here may stand: a number"),
        ("None<n0>", 5, "the alias <n0> is not bound"),
    ],
)
def test_errors_of_beginnings_say_what_is_wrong_with_an_alias(prefix: str, column: int, hint: str) -> None:
    with pytest.raises(TokenizerError, match="not the beginning of a program in the dialect dense-aliases-4") as caught:
        made("tiktoken_small", DENSE)[1].start(prefix)
    assert (caught.value.column, caught.value.hint[: len(hint)]) == (column, hint)


def test_errors_of_ids_say_what_is_wrong_with_an_alias() -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    with pytest.raises(TokenizerError, match=r"<n2>[\s\S]*the next alias to be bound is <n1>"):
        constraint.start("a<n0>=b").advance(codec.own["<n2>"])
    with pytest.raises(TokenizerError, match="the alias <n1> is not bound"):
        constraint.start("a<n0>=").advance(codec.own["<n1>.<n0>="])


def test_shifts_of_names_like_aliases_are_letters() -> None:
    codec, constraint = made("tiktoken_small", DENSE)
    state = written(constraint.start("a<n0>=a<<"), codec, "n0>b")
    assert state is not None and state.may_end()
    assert constraint.start("a<n0>=a<<n0>b").may_end()


def test_a_dialect_without_aliases_knows_no_bound_ones() -> None:
    extended = extend(SMALL["tiktoken_small"](), dialect="dense")
    constraint = Constraint(extended, dialect="dense", ends=())
    assert constraint.start("a=b").engine.aliases is None
    with pytest.raises(TokenizerError, match="not the beginning"):
        constraint.start("a<n0>")
