"""Learned tokens: what may be one, that the same corpus gives the same ones, and that use gives what learning promised."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

import pytest
import tokenizers

from simpy_cli import corpus, registry
from simpy_cli.main import build_parser, main
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from simpy_grammar.name_boundaries import name_parts
from tests.small_tokenizers import byte_bpe, sentencepiece_dummy
from tokenizer_ext import Codec, LearnedTokens, TokenizerError, extend
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.learning import CorpusFile, LearningResult, learn, read_corpus
from tokenizer_ext.learning.choosing import choose
from tokenizer_ext.learning.corpus import MOST_GROUPS, common_words, package_groups
from tokenizer_ext.learning.ngrams import LONGEST
from tokenizer_ext.learning.passages import PassageTable, count_passages
from tokenizer_ext.learning.pieces import python_pieces, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter
from transpiler import encode, lexemes

ROOT = Path(__file__).resolve().parent.parent
CORPUS = [*read_corpus([ROOT / "transpiler"]), *read_corpus([ROOT / "simpy_grammar"]), *read_corpus([ROOT / "simpy_cli"])]


@pytest.fixture(scope="module")
def learning() -> LearningResult:
    return learn(byte_bpe(), CORPUS, budget=96, dialect="dense", held_out=0.25)


def test_the_budget_is_used_and_every_token_saves(learning: LearningResult) -> None:
    assert len(learning.learned) == 96
    saved = learning.learned.meta["saved_on_corpus"]
    assert 0 < saved[0] < saved[31] < saved[63] < saved[95]


def test_the_same_corpus_gives_the_same_tokens(learning: LearningResult) -> None:
    again = learn(byte_bpe(), list(CORPUS), budget=96, dialect="dense", held_out=0.25)
    assert again == learning


def test_the_number_of_processes_changes_nothing() -> None:
    dialect = Dialect.load("dense")
    one, two = (count_passages(CORPUS, simpy_splitter(dialect), words=common_words(CORPUS), processes=number) for number in (1, 2))
    assert one == two
    assert len(one)


def test_at_most_a_fixed_part_is_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokenizer_ext.learning.learner.MOST_HELD_OUT", 20_000)
    found = learn(byte_bpe(), CORPUS, budget=1, held_out=0.5)
    again = learn(byte_bpe(), CORPUS[::-1], budget=1, held_out=0.5)
    assert len(CORPUS) * 0.8 < found.files < len(CORPUS)
    assert (found.files, found.python) == (again.files, again.python)


def test_use_realises_what_learning_promised() -> None:
    library = Path(sysconfig.get_path("stdlib"))  # a corpus that our own changes do not move
    corpus = [*read_corpus([library / "email"]), *read_corpus([library / "json"])]
    learning = learn(byte_bpe(), corpus, budget=96, dialect="dense", held_out=0.25)
    first, last = learning.curve[0], learning.curve[-1]
    assert first.promised == first.realised
    assert last.realised < first.realised * 0.95
    promised, realised = first.promised - last.promised, first.realised - last.realised
    assert abs(promised - realised) <= 0.1 * realised


def test_every_token_is_an_ngram_of_lexemes_without_data(learning: LearningResult) -> None:
    dialect = Dialect.load("dense")
    ngrams = set()
    for program in CORPUS:
        found: list[tuple[str, bool]] = []  # texts, and whether they are literals or comments
        for lexeme in lexemes(encode(program.source, dialect=dialect, verify=False), dialect=dialect):
            word = lexeme.terminal in ("NAME", "NUMBER")
            found += [(part, lexeme.is_data and not word) for part in (name_parts(lexeme.text) if word else [lexeme.text])]
        for start in range(len(found)):
            text = ""
            for part, data in found[start : start + LONGEST]:
                if data:
                    break
                text += part
                ngrams.add(text)
    assert set(learning.learned.tokens) <= ngrams
    assert all(token.isascii() and not set(token) & set("\"'#") for token in learning.learned.tokens)


def test_texts_come_back_whole(learning: LearningResult) -> None:
    codec = Codec(extend(byte_bpe(), dialect="dense", learned=learning.learned), dialect="dense")
    for program in CORPUS:
        text = encode(program.source, dialect="dense", verify=False)
        assert codec.decode(codec.encode(text)) == text


def test_tokens_of_texts_without_their_closing_brackets() -> None:
    learned = learn(byte_bpe(), CORPUS[::3], budget=48, dialect="dense-open").learned
    assert any("(" in token and ")" not in token for token in learned.tokens), learned.tokens
    codec = Codec(extend(byte_bpe(), dialect="dense-open", learned=learned), dialect="dense-open")
    with pytest.raises(TokenizerError, match="the learned tokens are of dialect dense-open, not of dense"):
        extend(byte_bpe(), dialect="dense", learned=learned)
    for program in CORPUS[::3]:
        text = encode(program.source, dialect="dense-open", verify=False)
        assert codec.decode(codec.encode(text)) == text


def test_a_sentencepiece_vocabulary_learns_too() -> None:
    result = learn(sentencepiece_dummy(), CORPUS[::3], budget=16, dialect="classic", held_out=0.5)  # what is held out follows the texts
    assert result.curve[-1].realised < result.curve[0].realised


@pytest.mark.parametrize(("classes", "allowed"), [("grammar", "abcdefghijklmnopqrstuvwxyz_<>;{} FNTrue"), ("punctuation", None)])
def test_classes_limit_what_is_merged(classes: str, allowed: str | None) -> None:
    result = learn(byte_bpe(), CORPUS, budget=16, classes=classes)
    tokens = result.learned.tokens
    assert tokens
    assert not any("self" in token or "text" in token for token in tokens)
    if allowed:
        assert not any("(" in token or "." in token or "," in token for token in tokens)


def test_what_cannot_be_added_is_not_learned(learning: LearningResult) -> None:
    """A vocabulary may hold a text that its merges never make; such a text gains much, and cannot be added."""
    best = [token for token in learning.learned.tokens if token.isprintable() and " " not in token][:3]
    content = json.loads(byte_bpe().to_str())
    for token in best:
        content["model"]["vocab"][token] = len(content["model"]["vocab"])
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))
    assert all(tokenizer.encode(token).ids != [tokenizer.token_to_id(token)] for token in best)
    found = learn(tokenizer, CORPUS, budget=96, dialect="dense", held_out=0.25)
    assert len(found.learned) == 96
    assert not set(best) & set(found.learned.tokens)
    extend(tokenizer, dialect="dense", learned=found.learned)


def test_literals_and_comments_end_a_passage() -> None:
    splitter = simpy_splitter(Dialect.load("dense"))
    source = 'self.a("self.a", 1)  # self.a\nself.a = f"self.a{self.a}self.a"\n'
    table = count_passages([CorpusFile("", source)], splitter, words=frozenset(("self", "a")))
    texts = ["".join(passage[1:-1]) for passage in table.counts[0]]
    assert sorted(texts) == [" ", ")", "self.a(", "self.a=", "self.a}"]


def test_tokens_begin_and_end_inside_names() -> None:
    words = ("client", "server", "worker", "thread", "socket")
    files = [CorpusFile(word, f"self._{word}_name(get_{word}(x))\nself.{word}.toName({word}.get_id)\n" * 9) for word in words]
    tokens = learn(byte_bpe(), files, budget=12, held_out=0.0).learned.tokens
    assert any(token.startswith("_name(") for token in tokens), tokens
    assert any(token.endswith("self._") for token in tokens), tokens
    assert any("toName" in token for token in tokens), tokens
    assert not any(word in token for token in tokens for word in words)


def test_what_one_package_likes_is_not_learned() -> None:
    programs = [CorpusFile(name, "self.value(x)\n" * 5) for name in ("two", "three", "four", "five")]
    programs.append(CorpusFile("one", "frob.nicate(x)\n" * 50))
    assert "frob" not in common_words(programs)
    table = count_passages(programs, simpy_splitter(Dialect.load("dense")), words=frozenset(("frob", "nicate", "self", "value", "x")))
    choice = choose(table, CostTable(ordinary_counts(byte_bpe())), 4)
    assert choice.tokens
    assert not any("frob" in token or "nicate" in token for token in choice.tokens)


def in_letters(number: int) -> str:
    """A number in letters, so that a name with it is one part."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:02}")


def many_packages(number: int, idioms: int) -> list[CorpusFile]:
    """Small packages: each idiom is used by every seventh package or so, and each package has one of its own that it likes most."""
    files = []
    for package in range(number):
        own, names = in_letters(package), [in_letters(i) for i in range(idioms)]
        lines = [f"alpha{name}.beta{name}(gamma{name})" for i, name in enumerate(names) if (package * 31 + i * 17) % 97 % 7 == 0]
        lines += [f"own{own}.liked{own}(most{own})"] * 60
        files += [CorpusFile(f"package{package}", "\n".join(lines) + f"\n# {part}\n") for part in range(2)]
    return files


def test_a_budget_is_filled_from_many_packages() -> None:
    """What is asked of a token does not grow with the number of packages: no idiom here is used by more than a quarter of them."""
    files = many_packages(80, idioms=60)
    result = learn(byte_bpe(), files, budget=60, held_out=0.05)
    tokens = result.learned.tokens
    assert len(tokens) == 60
    idioms = [token for token in tokens if "beta" in token]
    assert len(idioms) > 50
    assert all(len({file.package for file in files if idiom in file.source}) <= 20 for idiom in idioms)
    assert not any("own" in token or "liked" in token for token in tokens)
    assert result.curve[-1].realised < result.curve[0].realised


def test_what_one_or_two_of_many_packages_like_is_not_learned() -> None:
    common = "self.value(x)\n" * 3
    files = [CorpusFile(f"package{i}", common + ("frob.nicate(x)\n" * 90 if i in (3, 40) else "")) for i in range(80)]
    words = common_words(files)
    assert {"frob", "nicate"} <= words
    table = count_passages(files, simpy_splitter(Dialect.load("dense")), words=words)
    tokens = choose(table, CostTable(ordinary_counts(byte_bpe())), 8).tokens
    assert any("self" in token for token in tokens)
    assert not any("frob" in token or "nicate" in token for token in tokens)


def test_packages_are_counted_in_a_bounded_number_of_groups() -> None:
    files = [CorpusFile(f"package{i}", "x" * (i % 9 + 1) * 10) for i in range(78)]
    groups = package_groups(files)
    assert groups == package_groups(files[::-1])
    assert set(groups.values()) == set(range(MOST_GROUPS))
    sizes = [sum(len(file.source) for file in files if groups[file.package] == group) for group in range(MOST_GROUPS)]
    assert max(sizes) - min(sizes) <= 100
    assert len(set(package_groups(files[:MOST_GROUPS]).values())) == MOST_GROUPS


def test_the_table_of_passages_is_bounded() -> None:
    table = PassageTable(limit=10)
    for i in range(100):
        table.add(("", f"a{i}", ""), 0)
        table.add(("", "common", ""), 0)
        table.shrink()
    assert len(table) <= 10
    assert table.counts[0][("", "common", "")] == 100


def test_a_full_table_keeps_as_many_rare_passages_as_it_has_room_for() -> None:
    table = PassageTable(limit=100)
    table.add(("", "common", ""), 0, 2)
    for i in range(101):
        table.add(("", f"a{i}", ""), i % 2)
    table.shrink()
    assert len(table) == 90
    assert ("", "common", "") in table.counts[0]


def test_replacing_useless_tokens_never_loses(monkeypatch: pytest.MonkeyPatch) -> None:
    table = PassageTable([{("", *run, ""): count for run, count in {"abb": 1, "cccb": 3, "cbc": 9, "bc": 2, "dbc": 8}.items()}])
    costs = CostTable(lambda texts: [len(text) for text in texts])
    replaced = choose(table, costs, 4)
    monkeypatch.setattr("tokenizer_ext.learning.choosing._REFILLS", 0)
    assert replaced.saved[-1] >= choose(table, costs, 4).saved[-1]


def test_the_longest_token_wins_from_the_left() -> None:
    segmenter = PassageSegmenter(CostTable(lambda texts: [len(text) for text in texts]))
    for token in (("a", "b"), ("b", "c"), ("a", "b", "c", "d")):
        segmenter.add(token)
    assert segmenter.cost(("", "a", "b", "c", "d", "")) == 1
    assert segmenter.cost(("", "a", "b", "c", "")) == 2
    segmenter.remove(("a", "b"))
    assert segmenter.cost(("", "a", "b", "c", "")) == 2
    assert segmenter.cost(("", "a", "b", "c", "d", "")) == 1


@pytest.mark.parametrize("program", CORPUS[:10], ids=lambda program: str(len(program.source)))
def test_pieces_of_python_join_to_it(program: CorpusFile) -> None:
    assert "".join(text for _, text in python_pieces(program.source)) == program.source


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
        (["--corpus", "empty"], "no Python files (*.py, *.pyi, *.pyw) in this folder"),
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


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ([], ["src/a.py", "src/one/b.py", "src/one/gen_c.py"]),
        (["--exclude", "gen_*"], ["src/a.py", "src/one/b.py"]),
        (["--no-ignore"], ["src/a.py", "src/old/d.py", "src/one/b.py", "src/one/gen_c.py", "src/venv/e.py"]),
    ],
)
def test_the_corpus_leaves_out_what_other_commands_leave_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], read: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "one/b.py", "one/gen_c.py", "old/d.py", "venv/e.py", "one/notes.txt", ".git/f.py"):
        file = tmp_path / "src" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"name = 'src/{name}'\n")
    (tmp_path / "src/.gitignore").write_text("/old/\n")
    (tmp_path / "src/venv/pyvenv.cfg").write_text("")
    for command in ("learn", "fit"):
        args = build_parser([command]).parse_args([command, "--tokenizer", "t", "-o", "o", "--corpus", "src", *options])
        programs, errors = corpus.read(args)
        assert errors == [] and sorted(program.source.split("'")[1] for program in programs) == read
        assert {program.package for program in programs if "/one/" in program.source} == {"src/one"}
