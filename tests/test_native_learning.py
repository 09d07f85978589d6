"""The native core learns, counts and fits as the Python code does: the same tokens, the same savings, the same dialects."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.native import core
from tests.small_tokenizers import blank_tokens, byte_bpe, byte_bpe_nfc, real, sentencepiece_dummy, tiktoken_small
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.adapters.word_ends import is_known
from tokenizer_ext.costs import CostTable, cost_table
from tokenizer_ext.fitting import fit
from tokenizer_ext.fitting.spellings import candidate_spellings
from tokenizer_ext.fitting.templates import ProgramTemplates
from tokenizer_ext.learning import CorpusFile, learn, read_corpus
from tokenizer_ext.learning.choosing import Choice, choose
from tokenizer_ext.learning.evaluation import _totals
from tokenizer_ext.learning.passages import Passage, PassageTable

pytestmark = pytest.mark.skipif(core is None, reason="the native core is not built")

ROOT = Path(__file__).resolve().parent.parent
SPECIALS = ("<if>", "<if_stmt>", "<l>", ";;", "é<")
LEXEMES = (
    "a",
    "b",
    "ab",
    "abc",
    "bc",
    "c",
    "_",
    "'",
    "(",
    ")",
    "<if>",
    "<if_stmt>",
    "<l>",
    ";",
    ";;",
    "é",
    "é<",
    "1",
    "self",
    ".",
    " ",
    "=",
)
WORD_END = re.compile(r"(?<=[A-Za-z])(?=[\x00-&(-@\[-`{-\x7f])")


def _piece(text: str) -> int:
    """Some number of tokens, which says nothing about those of a part of the text."""
    return min(len(text), 1 + zlib.crc32(text.encode()) % 7)


def _whole(texts: Sequence[str]) -> list[int]:
    return [_piece(text) if text else 0 for text in texts]


def _in_words(texts: Sequence[str]) -> list[int]:
    return [sum(_piece(piece) for piece in WORD_END.split(text) if piece) for text in texts]


@pytest.fixture(params=[(_whole, False), (_in_words, True)], ids=["whole", "in words"])
def tables(request: pytest.FixtureRequest) -> Callable[[], tuple[CostTable, CostTable]]:
    """Makes a cost table with the native core, and one without."""
    count, ends_at_words = request.param
    return lambda: (CostTable(count, SPECIALS, ends_at_words=ends_at_words), _pure(CostTable(count, SPECIALS)))


def _pure(costs: CostTable) -> CostTable:
    costs.native = None
    return costs


def _passages(random: Random) -> list[dict[Passage, int]]:
    """Passages of a few groups, in which the same texts are cut in several ways."""
    lexemes = random.sample(LEXEMES, random.randint(2, len(LEXEMES)))
    idioms = [random.choices(lexemes, k=random.randint(2, 20)) for _ in range(6)]
    groups: list[dict[Passage, int]] = []
    for _ in range(random.randint(1, 7)):
        counts: dict[Passage, int] = {}
        for _ in range(random.randint(1, 25)):
            inner = [
                text for _ in range(random.randint(1, 4)) for text in random.choice((idioms[0], *idioms, random.choices(lexemes, k=2)))
            ]
            counts[("", *inner, random.choice(("", "Qzv", "'", "a")))] = random.randint(1, 9)
        groups.append(counts)
    return groups


def _chosen(counts: list[dict[Passage, int]], costs: CostTable, random: Random) -> tuple[Choice, int]:
    calls: list[None] = []
    letters = random.random() < 0.5
    settings = {"budget": random.choice((0, 1, 3, 8, 30)), "candidates": random.choice((1, 5, 200))}
    choice = choose(
        PassageTable(counts), costs, **settings, can_be_added=lambda text: letters or len(text) > 2, progress=lambda: calls.append(None)
    )
    return choice, len(calls)


@pytest.mark.parametrize("seed", range(60))
def test_the_same_tokens_are_chosen(seed: int, tables: Callable[[], tuple[CostTable, CostTable]], monkeypatch: pytest.MonkeyPatch) -> None:
    counts = _passages(Random(seed))
    native, pure = tables()
    expected = _chosen(counts, pure, Random(seed))
    monkeypatch.setattr("tokenizer_ext.learning.choosing.promising_ngrams", None)  # which the native core needs not
    assert _chosen(counts, native, Random(seed)) == expected


@pytest.mark.parametrize("seed", range(20))
def test_budgets_promise_the_same(seed: int, tables: Callable[[], tuple[CostTable, CostTable]]) -> None:
    native, pure = tables()
    choice = choose(PassageTable(_passages(Random(seed))), native, 20)
    counted = [(passage, count) for counts in _passages(Random(seed + 1)) for passage, count in counts.items()]
    steps = sorted({0, len(choice.tokens) // 2, len(choice.tokens)})
    assert _totals(counted, choice, steps, native) == _totals(counted, choice, steps, pure)


def test_texts_cost_the_same(tables: Callable[[], tuple[CostTable, CostTable]]) -> None:
    native, pure = tables()
    random = Random(3)
    texts = ["", *("".join(random.choices((*LEXEMES, "<", ">", "\n", "ß", "日", "'s "), k=random.randint(1, 60))) for _ in range(300))]
    assert native.total(texts) == pure.total(texts) == native.total(texts)


def test_what_the_core_cannot_take_is_left_to_python() -> None:
    costs, pure = CostTable(_surrogates), _pure(CostTable(_surrogates))
    table = [{("", "a", "\ud800", "b", ""): 3, ("", "a", "b", ""): 4, ("", "a", "b", "x"): 4}]
    assert choose(PassageTable(table), costs, 3) == choose(PassageTable(table), pure, 3)
    assert costs.total(["a\ud800"]) == pure.total(["a\ud800"]) == [2]
    assert choose(PassageTable(), costs, 3) == choose(PassageTable(), pure, 3)


def _surrogates(texts: Sequence[str]) -> list[int]:
    return list(map(len, texts))


def test_errors_of_a_tokenizer_are_raised() -> None:
    def fail(texts: Sequence[str]) -> list[int]:
        raise OSError("no tokenizer")

    costs = CostTable(fail)
    with pytest.raises(OSError, match="no tokenizer"):
        choose(PassageTable([{("", "a", "b", ""): 3}]), costs, 3)
    with pytest.raises(OSError, match="no tokenizer"):
        costs.total(["a"])
    costs.count = _whole
    assert costs.total(["a"]) == [1]


def test_templates_cost_the_same(tables: Callable[[], tuple[CostTable, CostTable]]) -> None:
    dialect = Dialect.load("dense")
    sources = [file.source for file in read_corpus([ROOT / "transpiler"])][:6]
    templates = ProgramTemplates([*sources, "x = ['é', \"<if>\"]\n", ""], dialect)
    random = Random(5)
    native, pure = tables()
    for terminal in random.sample(sorted(dialect.spellings), 40):
        for spelling in candidate_spellings(terminal, dialect)[:3]:
            changed = dialect.with_spellings("changed", {terminal: spelling})
            which = random.choice((None, [1, 0], [*range(len(templates.templates))]))
            assert templates.costs(changed, native, which) == pure.total(templates.spelled(changed, which))


OF_LIBRARIES = {
    "GPT-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "GPT-4": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "GPT-4o": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "several": "[\r\n]\0\\s?\\p{L}+\0\\s?\\p{P}+\0[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
}
OF_TIKTOKEN = {
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "r50k": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
}


def _cutting(patterns: str) -> Any:
    """A tokenizer that cuts by regular expressions, one after the other."""
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    tokenizer = Tokenizer.from_str(byte_bpe().to_str())
    parts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns.split("\0")]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*parts, pre_tokenizers.Digits(individual_digits=True), byte_level])
    return tokenizer


def _of_tiktoken(pattern: str) -> Any:
    import tiktoken

    ranks = dict(tiktoken_small()._mergeable_ranks)
    return tiktoken.Encoding("small", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


TOKENIZERS: dict[str, Callable[[], Any]] = {
    "byte-level BPE": byte_bpe,
    "with a normal form": byte_bpe_nfc,
    **{name: partial(_cutting, patterns) for name, patterns in OF_LIBRARIES.items()},
    **{name: partial(_of_tiktoken, pattern) for name, pattern in OF_TIKTOKEN.items()},
    "CodeBERT": partial(real, "codebert"),
    "StarCoder": partial(real, "starcoder"),
}
OTHERS = {"SentencePiece": sentencepiece_dummy, "tokens of blanks": blank_tokens, "words of its own": tiktoken_small}


@pytest.mark.parametrize("name", [*TOKENIZERS, *OTHERS])
def test_a_text_may_be_cut_at_the_ends_of_words(name: str) -> None:
    tokenizer = {**TOKENIZERS, **OTHERS}[name]()
    if name != "tokens of blanks":
        assert adapter_of(tokenizer).ordinary(()).ends_at_words == (name in TOKENIZERS)
    native, pure = cost_table(tokenizer, SPECIALS), _pure(cost_table(tokenizer, SPECIALS))
    random = Random(7)
    parts = (
        *LEXEMES,
        "\n",
        "  ",
        "\t",
        "'s",
        "'LL",
        "é",
        "e\u0301",
        "\u0338",
        "日本",
        "Ⅷ",
        "½",
        "x'",
        "\r\n",
        "/",
        "&&",
        "ſ",
        "\u00a0",
        "İ",
    )
    texts = ["".join(random.choices(parts, k=random.randint(1, 40))) for _ in range(400)]
    texts += [file.source for file in read_corpus([ROOT / "simpy_grammar"])][:3]
    assert native.total(texts) == pure.total(texts)


def test_only_known_expressions_are_trusted() -> None:
    assert is_known(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+")
    assert not is_known(r"\p{N}| ?[^\s\p{L}\p{N}]+|\s+")  # letters are left to chance
    assert not is_known(r" ?\p{L}+|[^\s]+") and not is_known(r" ?\p{L}+| ?\p{N}+|")


@pytest.fixture
def without_core() -> Iterator[Callable[[], None]]:
    with pytest.MonkeyPatch.context() as patch:
        modules = ("costs", "learning.choosing", "learning.evaluation", "fitting.templates")
        yield lambda: [patch.setattr(f"tokenizer_ext.{module}.core", None) for module in modules] and None


@pytest.mark.parametrize(("classes", "dialect"), [("identifiers", "dense"), ("literals", "classic-aliases-64")])
def test_learning_gives_the_same(classes: str, dialect: str, without_core: Callable[[], None]) -> None:
    files = [CorpusFile(str(i % 5), file.source) for i, file in enumerate(read_corpus([ROOT / "simpy_grammar"])) if len(file.source) < 9000]
    native = learn(byte_bpe(), files, budget=40, dialect=dialect, classes=classes, held_out=0.2)
    without_core()
    assert learn(byte_bpe(), files, budget=40, dialect=dialect, classes=classes, held_out=0.2) == native


def test_fitting_gives_the_same(without_core: Callable[[], None]) -> None:
    programs = [file.source for file in read_corpus([ROOT / "transpiler"])][:3]
    native = fit(byte_bpe(), programs, start="dense", terminals=("EQUAL", "IN"), rounds=1)
    without_core()
    assert fit(byte_bpe(), programs, start="dense", terminals=("EQUAL", "IN"), rounds=1) == native


def test_a_tokenizer_that_counts_with_the_table_that_asks_it() -> None:
    """The same table cannot be used within itself: the Python path counts then, and so does what is asked meanwhile."""

    def count(texts: Sequence[str]) -> list[int]:
        if not depth:
            depth.append(None)
            some = [f"{len(inner)}<if>{text}" for text in texts]
            inner.append(costs.total(some) == pure.total(some))
            depth.pop()
        return _whole(texts)

    depth: list[None] = []
    inner: list[object] = []
    costs = CostTable(count, SPECIALS)
    counts, pure = _passages(Random(4)), _pure(CostTable(_whole, SPECIALS))
    assert choose(PassageTable(counts), costs, 8) == choose(PassageTable(counts), pure, 8)
    assert len(inner) > 2 and all(inner) and costs.total(["a<if>b"]) == pure.total(["a<if>b"])


def test_threads_that_share_a_table() -> None:
    costs, pure = CostTable(_whole, SPECIALS), _pure(CostTable(_whole, SPECIALS))
    texts = [[f"{i}<if>{k}a" for k in range(40)] for i in range(60)]
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(costs.total, texts)] == [pure.total(some) for some in texts]


class _Index:
    """Says that it is a number, and changes a list first."""

    def __init__(self, change: Callable[[], object]) -> None:
        self.change = change

    def __index__(self) -> int:
        self.change()
        return 1


def test_lists_that_change_while_they_are_read() -> None:
    assert core is not None
    costs = core.costs([], False)
    passage = ("", "a", "b", "")
    tokens: list[tuple[str, ...]] = [("a", "b")]
    assert core.segmented_totals([passage], [_Index(lambda: tokens.extend([("a",)] * 10_000))], tokens, [0, 1], costs, _whole) is None
    which: list[object] = []
    which += [_Index(which.clear), 0]
    templates = core.templates([["a"]])
    assert core.template_costs(templates, [], which, costs, _whole) is None
    programs: list[list[object]] = []
    programs.append([_Index(programs.clear), "a"])
    assert core.templates(programs) is None
    assert core.text_costs(costs, ["a", 1], _whole) is None
    texts = ["a", "b"]
    assert core.text_costs(costs, texts, lambda asked: (texts.clear(), _whole(asked))[1]) == _whole(["a", "b"])


def test_numbers_of_any_size() -> None:
    passages = [{("", "a", "b", ""): 3, ("", "a", "b", "x"): 4}]
    choice = choose(PassageTable(passages), CostTable(_whole), 3)
    assert core is not None and len(choice.tokens) > 0
    most = 2**63 - 1
    rows = [list(row) for row in passages[0]]
    arguments = (list(map(tuple, rows)), [3, 4], [0, 0], 1, 2)
    for longest, candidates, budget, refills in ((2**62, most, most, most), (2**61, 2**62, 3, 1), (1, 1, 1, 0)):
        costs = core.costs([], False)
        found = core.choose(*arguments, longest, candidates, budget, refills, costs, _whole, bool, lambda: None)
        assert longest == 1 or found == ([*choice.lexemes], [*choice.saved])
    for wrong in ((-1, 1, 1, 1), (1, -1, 1, 1), (1, 1, -1, 1), (1, 1, 1, -1)):
        assert core.choose(*arguments, *wrong, core.costs([], False), _whole, bool, lambda: None) is None
    for answer in (2**29 + 1, 2**70, -1):
        assert core.text_costs(core.costs([], False), ["a"], lambda texts, answer=answer: [answer]) is None
    # so many and so dear ones that their product has more than 64 bits
    many = [("", *"ab" * 20, "")]
    dear = core.choose(many, [2**32], [0], 1, 2, 10, 9, 3, 1, core.costs([], False), lambda texts: [2**29] * len(texts), bool, lambda: None)
    assert dear is None
    with pytest.raises(TypeError):
        core.text_costs(core.costs([], False), ["a"], lambda texts: ["1"])
