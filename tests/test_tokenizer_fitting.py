"""Fitting a dialect: the result is a dialect that loses nothing and takes fewer tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from simpy_cli import registry
from simpy_cli.main import main
from simpy_grammar.dialect import BUILT_IN, PYTHON, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.table_cache import load_tables, tables_key
from tests.small_tokenizers import byte_bpe, real
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.fitting import FitResult, fit, fitted_dialect
from tokenizer_ext.fitting.built_in import DENSE_DIALECTS
from tokenizer_ext.fitting.spellings import candidate_spellings
from tokenizer_ext.fitting.templates import ProgramTemplates
from transpiler import encode

ROOT = Path(__file__).resolve().parent.parent
TERMINALS = ("LINE_SEP", "BLOCK_END", "EQUAL", "IN", "AND", "RETURN_ARROW", "ARGUMENT_SEP")
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "transpiler").glob("*.py"))]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A search compiles many dialects; their tables are nobody else's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMPY_CACHE", str(tmp_path_factory.mktemp("tables")))
        yield


@pytest.fixture(scope="module")
def fitted() -> FitResult:
    return fit(byte_bpe(), PROGRAMS[:4], start="dense", name="mine", terminals=TERMINALS, rounds=1)


def test_a_fitted_dialect_takes_fewer_tokens(fitted: FitResult) -> None:
    assert fitted.steps
    assert fitted.after < fitted.before < fitted.python
    counts = [step.tokens for step in fitted.steps]
    assert counts == sorted(counts, reverse=True)


def test_a_search_leaves_no_tables_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_tables(Dialect.load("dense"))
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path))
    found = fit(byte_bpe(), PROGRAMS[:2], start="dense", name="other", terminals=("EQUAL", "LESS_EQUAL", "IN"), rounds=1)
    assert found.steps or found.refused
    # Those of built-in dialects stay: whether they are in memory still depends on the tests before.
    built_in = {f"{tables_key(Dialect.load(name))}.tables" for name in (*BUILT_IN, PYTHON)}
    assert not {path.name for path in tmp_path.iterdir()} - built_in


def test_a_fitted_dialect_loses_nothing(fitted: FitResult) -> None:
    for program in PROGRAMS:
        encode(program, dialect=fitted.dialect, verify=True)


def test_the_count_is_that_of_the_encoded_programs(fitted: FitResult) -> None:
    costs = CostTable(ordinary_counts(byte_bpe()), Dialect.load("classic").special_tokens)
    texts = [encode(program, dialect=fitted.dialect, verify=False) for program in PROGRAMS[:4]]
    assert sum(costs.total(texts)) == fitted.after


def test_the_file_reads_back(fitted: FitResult, tmp_path: Path) -> None:
    path = tmp_path / "mine.lark"
    path.write_text(fitted.dialect.format(), encoding="utf-8")
    assert Dialect.load(path) == fitted.dialect


@pytest.mark.parametrize("name", ["classic", *DENSE_DIALECTS])
def test_templates_spell_as_encode_does(name: str) -> None:
    dialect = Dialect.load(name)
    templates = ProgramTemplates(PROGRAMS, dialect)
    assert templates.programs == PROGRAMS
    assert templates.spelled(dialect) == [encode(program, dialect=dialect, verify=False) for program in PROGRAMS]


def test_no_candidate_runs_into_a_name() -> None:
    dialect = Dialect.load("dense")
    spellings = [spelling for terminal in dialect.spellings for spelling in candidate_spellings(terminal, dialect)]
    assert spellings
    assert not [text for spelling in spellings for text in spelling if text[:1].isalnum() or text[-1:].isalnum()]


def test_compact_cannot_be_fitted() -> None:
    with pytest.raises(DialectError, match="has no spellings to fit"):
        fit(None, PROGRAMS[:1], start="compact")


@pytest.mark.parametrize(
    ("vocabulary", "name"),
    [("cl100k_base", "dense-newline"), ("o200k_base", "dense-newline"), ("starcoder", "dense"), ("codellama", "dense")],
)
def test_the_built_in_choice_for_real_vocabularies(vocabulary: str, name: str) -> None:
    assert fitted_dialect(real(vocabulary)).name == name


def test_the_command_writes_a_dialect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(registry.COMMANDS, "fit", "fit a dialect to a vocabulary")
    byte_bpe().save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "program.py").write_text("def f(a, b):\n    if a is not b:\n        return a\n", encoding="utf-8")
    out = tmp_path / "mine.lark"
    arguments = ["--tokenizer", str(tmp_path), "--corpus", str(tmp_path / "program.py"), "--start", "dense", "-o", str(out)]
    assert main(["fit", *arguments]) == 0
    assert Dialect.load(out).name == "mine"
    assert "dense saves " in capsys.readouterr().err
    assert main(["fit", *arguments[:2], "--corpus", str(tmp_path / "none"), "-o", str(out)]) == 2
    assert "no such file or directory" in capsys.readouterr().err
