"""The cache of tries: what is read from it gives the same masks, and nothing that is damaged or of others is read."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.table_cache import load_tables
from tests.small_tokenizers import SMALL
from tokenizer_ext import extend
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.codec import Codec
from tokenizer_ext.constrain import Constraint, Mask, trie_cache
from tokenizer_ext.constrain.lexers import lexer_of
from tokenizer_ext.constrain.trees import Tables
from transpiler import encode

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = 'def f(a, *, b=1):  # é\n    return [f"{a!r:>{b}} é", a - b.c(1)]\n'


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of its own, in which small vocabularies are kept, too."""
    for dialect in ("classic", "dense", "python"):
        load_tables(lexer_of(Dialect.load(dialect)).dialect)
    monkeypatch.setenv("SIMPY_CACHE", str(tmp_path))
    monkeypatch.setattr(trie_cache, "LARGE", 0)
    return tmp_path


def constraint_of(tokenizer: str, dialect: str = "classic") -> Constraint:
    made = SMALL[tokenizer]()
    return Constraint(made if Dialect.load(dialect).is_python else extend(made, dialect=dialect), dialect=dialect, ends=())


def masks(constraint: Constraint, tokenizer: str) -> list[Mask]:
    """The masks at each id of a program."""
    dialect = constraint.dialect
    if dialect.is_python:
        ids = adapter_of(SMALL[tokenizer]()).ordinary([]).encode([PROGRAM])[0]
    else:
        codec = Codec(extend(SMALL[tokenizer](), dialect=dialect), dialect=dialect)
        ids = codec.encode(encode(PROGRAM, dialect=dialect, verify=False))
    state, found = constraint.start(), []
    for number in ids:
        found.append(state.mask())
        state = state.advance(number)
    return found


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.tries"))


@pytest.mark.parametrize(
    ("tokenizer", "dialect"), [("tiktoken_small", "classic"), ("sentencepiece_dummy", "classic"), ("sentencepiece_dummy", "python")]
)
def test_masks_from_the_cache_are_those_without_it(tokenizer: str, dialect: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = masks(constraint_of(tokenizer, dialect), tokenizer)
    assert len(kept(cache)) == 1
    with monkeypatch.context() as patch:
        patch.delattr(Tables, "_in_code")  # what makes tables of states other than beginnings of lines, which are endlessly many
        assert masks(constraint_of(tokenizer, dialect), tokenizer) == first
    monkeypatch.setattr(trie_cache, "LARGE", 1_000_000)
    assert masks(constraint_of(tokenizer, dialect), tokenizer) == first


def signed(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


DAMAGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "one byte": lambda data: data[:5000] + bytes((data[5000] ^ 1,)) + data[5001:],
    "not compressed": lambda data: signed(b"1\n[]\n[]\n[]\n{}\n"),
    "not ours": lambda data: signed(zlib.compress(b"a list")),
    "other kinds": lambda data: signed(zlib.compress(b"1\n[1]\n[2]\n[3]\n[4]\n")),
    "without tries": lambda data: signed(zlib.compress(b'0\n[]\n[]\n[]\n{"a": 1}\n')),
}


def test_a_damaged_file_is_made_anew(cache: Path) -> None:
    constraint_of("tiktoken_small")
    (file,) = kept(cache)
    whole = file.read_bytes()
    for name, damage in DAMAGES.items():
        file.write_bytes(damage(whole))
        constraint = constraint_of("tiktoken_small")
        assert kept(cache) == [file], name
        assert trie_cache.read_kept(str(file)) is not None and file.stat().st_size > len(whole) // 2, name
    assert constraint.start("x=").mask() == constraint_of("tiktoken_small").start("x=").mask()


def test_a_cache_that_cannot_be_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "file").touch()
    monkeypatch.setenv("SIMPY_CACHE", str(cache / "file" / "below"))
    assert ord("a") in constraint_of("tiktoken_small").start("x=").mask()


def test_each_vocabulary_and_dialect_has_a_file_of_its_own(cache: Path) -> None:
    for tokenizer, dialect in (("tiktoken_small", "classic"), ("byte_bpe", "classic"), ("tiktoken_small", "dense")):
        before = kept(cache)
        constraint_of(tokenizer, dialect)
        assert len(kept(cache)) == len(before) + 1


def test_layouts_of_python_share_a_file(cache: Path) -> None:
    for dialect in ("python", "compact"):
        constraint_of("tiktoken_small", dialect)
        assert len(kept(cache)) == 1


def test_names_of_states_do_not_depend_on_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # no tables to compile
    code = (
        "from simpy_grammar.dialect import Dialect\n"
        "from tokenizer_ext.constrain.lexers import lexer_of\n"
        "from tokenizer_ext.constrain.state_names import state_name\n"
        "from tokenizer_ext.constrain.trie_cache import states_of\n"
        "for dialect in ('classic', 'python'):\n"
        "    names = sorted(map(state_name, states_of(lexer_of(Dialect.load(dialect)))))\n"
        "    assert len(set(names)) == len(names)\n"
        "    print(names)\n"
    )

    def names(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True).stdout

    assert names("1") == names("2")


def test_ids_that_are_very_long_need_no_deep_stack() -> None:
    import tiktoken

    ranks = {bytes([i]): i for i in range(256)} | {b"-" * 2**i: 255 + i for i in range(1, 9)}
    tokenizer = extend(tiktoken.Encoding("long", pat_str=".+", mergeable_ranks=ranks, special_tokens={}))
    constraint = Constraint(tokenizer, ends=())
    for prefix in ("x=", "x=(a"):
        mask = constraint.start(prefix).mask()
        assert all(255 + i in mask for i in range(1, 9))
    assert 263 not in constraint.start("x=a.").mask()
