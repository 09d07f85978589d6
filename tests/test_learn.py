"""Learned tokens: what may be one, that the same corpus gives the same ones, and that use gives what learning promised."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from simpy_cli import registry
from simpy_cli.main import main
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from tests.small_tokenizers import Tokenizer, byte_bpe, sentencepiece_dummy
from tokenizer_ext import Codec, LearnedTokens, extend
from tokenizer_ext.costs import Costs, plain_count
from tokenizer_ext.learn import Segmenter, choose
from tokenizer_ext.learning import Learning, learn
from tokenizer_ext.runs import Program, Runs, collect, common_words, python_lexer, read_programs, simpy_lexer
from transpiler import encode, lexemes

ROOT = Path(__file__).resolve().parent.parent
CORPUS = [*read_programs([ROOT / "transpiler"]), *read_programs([ROOT / "simpy_grammar"]), *read_programs([ROOT / "simpy_cli"])]


@pytest.fixture(scope="module")
def learning() -> Learning:
    return learn(byte_bpe(), CORPUS, budget=96, dialect="dense", held_out=0.25)


def test_the_budget_is_used_and_every_token_saves(learning: Learning) -> None:
    assert len(learning.learned) == 96
    saved = learning.learned.meta["saved_on_corpus"]
    assert 0 < saved[0] < saved[31] < saved[63] < saved[95]


def test_the_same_corpus_gives_the_same_tokens(learning: Learning) -> None:
    again = learn(byte_bpe(), list(CORPUS), budget=96, dialect="dense", held_out=0.25)
    assert again == learning


def test_the_number_of_processes_changes_nothing() -> None:
    dialect = Dialect.load("dense")
    one, two = (collect(CORPUS, simpy_lexer(dialect), words=common_words(CORPUS), processes=number) for number in (1, 2))
    assert one == two
    assert len(one)


def test_at_most_a_fixed_part_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenizer_ext.learning.MOST_HELD_OUT", 20_000)
    found = learn(byte_bpe(), CORPUS, budget=1, held_out=0.5)
    again = learn(byte_bpe(), CORPUS[::-1], budget=1, held_out=0.5)
    assert len(CORPUS) * 0.8 < found.files < len(CORPUS)
    assert (found.files, found.python) == (again.files, again.python)


def test_use_realises_what_learning_promised(learning: Learning) -> None:
    first, last = learning.curve[0], learning.curve[-1]
    assert first.promised == first.realised
    assert last.realised < first.realised * 0.95
    promised, realised = first.promised - last.promised, first.realised - last.realised
    assert abs(promised - realised) <= 0.1 * realised  # the corpus is small


def test_every_token_is_a_run_of_lexemes_without_data(learning: Learning) -> None:
    dialect = Dialect.load("dense")
    runs = set()
    for program in CORPUS:
        found = lexemes(encode(program.source, dialect=dialect, verify=False), dialect=dialect)
        for start in range(len(found)):
            text = ""
            for lexeme in found[start : start + 12]:
                if lexeme.is_data and lexeme.terminal not in ("NAME", "NUMBER"):
                    break
                text += lexeme.text
                runs.add(text)
    assert set(learning.learned.tokens) <= runs
    assert all(token.isascii() and not set(token) & set("\"'#") for token in learning.learned.tokens)


def test_texts_come_back_whole(learning: Learning) -> None:
    codec = Codec(extend(byte_bpe(), dialect="dense", learned=learning.learned), dialect="dense")
    for program in CORPUS:
        text = encode(program.source, dialect="dense", verify=False)
        assert codec.decode(codec.encode(text)) == text


def test_a_sentencepiece_vocabulary_learns_too() -> None:
    result = learn(sentencepiece_dummy(), CORPUS[:12], budget=16, dialect="classic", held_out=0.25)
    assert result.curve[-1].realised < result.curve[0].realised


@pytest.mark.parametrize(("classes", "allowed"), [("grammar", "abcdefghijklmnopqrstuvwxyz_<>;{} FNTrue"), ("punctuation", None)])
def test_classes_limit_what_is_merged(classes: str, allowed: str | None) -> None:
    result = learn(byte_bpe(), CORPUS, budget=16, classes=classes)
    tokens = result.learned.tokens
    assert tokens
    assert not any("self" in token or "text" in token for token in tokens)
    if allowed:
        assert not any("(" in token or "." in token or "," in token for token in tokens)


def test_what_cannot_be_added_is_not_learned(learning: Learning) -> None:
    """A vocabulary may hold a text that its merges never make; such a text gains much, and cannot be added."""
    best = [token for token in learning.learned.tokens if token.isprintable() and " " not in token][:3]
    content = json.loads(byte_bpe().to_str())
    for token in best:
        content["model"]["vocab"][token] = len(content["model"]["vocab"])
    tokenizer = Tokenizer.from_str(json.dumps(content))
    assert all(tokenizer.encode(token).ids != [tokenizer.token_to_id(token)] for token in best)
    found = learn(tokenizer, CORPUS, budget=96, dialect="dense", held_out=0.25)
    assert len(found.learned) == 96
    assert not set(best) & set(found.learned.tokens)
    extend(tokenizer, dialect="dense", learned=found.learned)


def test_literals_and_comments_end_a_run() -> None:
    lexer = simpy_lexer(Dialect.load("dense"))
    source = 'self.a("self.a", 1)  # self.a\nself.a = f"self.a{self.a}self.a"\n'
    runs = collect([Program("", source)], lexer, words=frozenset(("self", "a")))
    texts = ["".join(run[1:-1]) for run in runs.counts[0]]
    assert sorted(texts) == [" ", ")", "self.a(", "self.a=", "self.a}"]


def test_what_one_package_likes_is_not_learned() -> None:
    programs = [Program(name, "self.value(x)\n" * 5) for name in ("two", "three", "four", "five")]
    programs.append(Program("one", "frob.nicate(x)\n" * 50))
    assert "frob" not in common_words(programs)
    runs = collect(programs, simpy_lexer(Dialect.load("dense")), words=frozenset(("frob", "nicate", "self", "value", "x")))
    choice = choose(runs, Costs(plain_count(byte_bpe())), 4)
    assert choice.tokens
    assert not any("frob" in token or "nicate" in token for token in choice.tokens)


def test_the_table_of_runs_is_bounded() -> None:
    runs = Runs(limit=10)
    for i in range(100):
        runs.add(("", f"a{i}", ""), 0)
        runs.add(("", "common", ""), 0)
        runs.shrink()
    assert len(runs) <= 10
    assert runs.counts[0][("", "common", "")] == 100


def test_a_full_table_keeps_as_many_rare_runs_as_it_has_room_for() -> None:
    runs = Runs(limit=100)
    runs.add(("", "common", ""), 0, 2)
    for i in range(101):
        runs.add(("", f"a{i}", ""), i % 2)
    runs.shrink()
    assert len(runs) == 90
    assert ("", "common", "") in runs.counts[0]


def test_replacing_useless_tokens_never_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs([{("", *run, ""): count for run, count in {"abb": 1, "cccb": 3, "cbc": 9, "bc": 2, "dbc": 8}.items()}])
    costs = Costs(lambda texts: [len(text) for text in texts])
    replaced = choose(runs, costs, 4)
    monkeypatch.setattr(import_module("tokenizer_ext.learn"), "_REFILLS", 0)  # by its path it is the function
    assert replaced.saved[-1] >= choose(runs, costs, 4).saved[-1]


def test_the_longest_token_wins_from_the_left() -> None:
    segmenter = Segmenter(Costs(lambda texts: [len(text) for text in texts]))
    for token in (("a", "b"), ("b", "c"), ("a", "b", "c", "d")):
        segmenter.add(token)
    assert segmenter.cost(("", "a", "b", "c", "d", "")) == 1
    assert segmenter.cost(("", "a", "b", "c", "")) == 2
    segmenter.remove(("a", "b"))
    assert segmenter.cost(("", "a", "b", "c", "")) == 2
    assert segmenter.cost(("", "a", "b", "c", "d", "")) == 1


@pytest.mark.parametrize("program", CORPUS[:10], ids=lambda program: str(len(program.source)))
def test_pieces_of_python_join_to_it(program: Program) -> None:
    assert "".join(text for _, text in python_lexer(program.source)) == program.source


def test_wrong_dialects_and_empty_corpora_are_errors() -> None:
    with pytest.raises(DialectError, match="vocabulary cannot be extended"):
        learn(byte_bpe(), CORPUS, budget=4, dialect="compact")
    with pytest.raises(SimPyError, match="nothing to learn from"):
        learn(byte_bpe(), [], budget=4)


# ------------------------------------------------------------------------------------------------------------- command


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.COMMANDS, "learn", "learn tokens for a tokenizer from a corpus")


@pytest.fixture
def tokenizer_file(tmp_path: Path) -> str:
    path = tmp_path / "tokenizer.json"
    byte_bpe().save(str(path))
    return str(path)


def test_the_command_writes_tokens_and_prints_the_curve(tmp_path: Path, tokenizer_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "learned.json"
    corpus = [str(ROOT / "transpiler"), str(ROOT / "simpy_grammar")]
    assert main(["learn", "--tokenizer", tokenizer_file, "--corpus", *corpus, "--budget", "20", "--held-out", "0.3", "-o", str(out)]) == 0
    learned = LearnedTokens.load(out)
    assert (len(learned), learned.dialect, learned.tokenizer) == (20, "dense", tokenizer_file)
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()] == ["learned", "0", "16", "20"]
    assert printed.err.startswith("20 tokens learned from ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "nowhere"], "nowhere: error: no such file or directory"),
        (["--corpus", "empty"], "no Python files to learn from"),
        (["--corpus", "empty", "--budget", "0"], "'0' is not a number of tokens"),
        (["--corpus", "empty", "--held-out", "2"], "'2' is not a share between 0 and 1"),
    ],
)
def test_bad_usage_is_said(
    tmp_path: Path,
    tokenizer_file: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["learn", "--tokenizer", tokenizer_file, "-o", "out.json", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
