"""Counting, names of tokenizers, and the command simpy tokens."""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

import pytest

from simpy_cli.main import main
from simpy_cli.registry import COMMANDS
from tests.small_tokenizers import byte_bpe, real, tiktoken_small, vocabularies
from tests.test_tokenizer_extension import KNOWN, PYTHON
from tokenizer_ext import LearnedTokens, TokenCounter, TokenizerError, count_program, load_tokenizer
from tokenizer_ext.counting import CountedProgram
from tokenizer_ext.estimation import saved_within, within
from tokenizer_ext.learned_tokens import LearnedTokensError
from tokenizer_ext.token_shares import CATEGORIES
from transpiler import encode

SOURCE = 'def f(self):\n    # ä comment\n    return f"{self.x}é" + "text"\n'


@pytest.fixture(autouse=True)
def command(monkeypatch: pytest.MonkeyPatch) -> None:
    """No vocabulary from outside, and the subcommand under its name."""
    monkeypatch.delenv("SIMPY_VOCAB", raising=False)
    monkeypatch.setitem(COMMANDS, "tokens", COMMANDS.get("tokens", "count tokens"))


@pytest.fixture
def vocabulary(tmp_path: Path) -> str:
    """A tokenizer.json."""
    path = tmp_path / "vocabulary" / "tokenizer.json"
    path.parent.mkdir()
    byte_bpe().save(str(path))
    return str(path)


# ---------------------------------------------------------------------------------------------------------- counting


@pytest.mark.parametrize("name", KNOWN)
def test_programs_have_the_known_counts(name: str) -> None:
    assert count_program(PYTHON, real(name)) == KNOWN[name]


@pytest.mark.parametrize("exact", [True, False])
def test_shares_add_up(exact: bool) -> None:
    for tokenizer in (byte_bpe(), tiktoken_small()) if exact else (None,):
        counter = TokenCounter(tokenizer)
        counts = counter.count(SOURCE, shares=True)
        assert tuple(counts) == counter.spellings == ("python", "compact", "classic", "dense", "dense-newline")
        plain = counter.count(CountedProgram(SOURCE))
        for name, count in counts.items():
            assert count.tokens == plain[name].tokens > 0
            assert sum(count.shares.values()) == pytest.approx(count.tokens)
            assert set(count.shares) == set(CATEGORIES)
            assert all(share > 0 for share in count.shares.values())


def test_python_is_counted_as_it_stands() -> None:
    source = "x  =  1\n\n\n"
    assert TokenCounter(byte_bpe(), dialects=("python",)).count(source)["python"].tokens == len(byte_bpe().encode(source).ids)


def test_learned_tokens_are_counted_as_one() -> None:
    learned = LearnedTokens(("zig.zag(",), "small", "dense")
    for tokenizer in (byte_bpe(), tiktoken_small(), None):
        counts = TokenCounter(tokenizer, dialects=("dense",), learned=learned).count("zig.zag(a)\n")
        assert counts["learned"].tokens < counts["dense"].tokens


def test_the_estimate_is_as_near_as_it_says() -> None:
    """On this project, which it was not fitted to."""
    tokenizer = real("cl100k_base")
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.parent.glob("transpiler/*.py"))]
    guess, exact = TokenCounter(None), TokenCounter(tokenizer)
    programs = [(guess.count(source), exact.count(source)) for source in sources]
    sums = [{name: sum(found[i][name].tokens for found in programs) for name in exact.spellings} for i in (0, 1)]
    for name in exact.spellings:
        about, true = sums[0][name], sums[1][name]
        assert 100 * abs(about / true - 1) <= within(about)
        assert 100 * abs(about / sums[0]["python"] - true / sums[1]["python"]) <= saved_within(about)


# ------------------------------------------------------------------------------------------------------------- names


def test_names_of_files_and_folders(vocabulary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "tokenizer.json.xz"
    packed.write_bytes(lzma.compress(Path(vocabulary).read_bytes()))
    monkeypatch.setenv("SIMPY_VOCAB", str(tmp_path))
    for name in (vocabulary, str(Path(vocabulary).parent), str(packed), str(tmp_path), "vocabulary"):
        assert load_tokenizer(name).get_vocab_size() == byte_bpe().get_vocab_size()


def test_a_folder_of_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")
    transformers.PreTrainedTokenizerFast(tokenizer_object=byte_bpe()).save_pretrained(tmp_path)
    assert load_tokenizer(str(tmp_path)).encode("x = 1").ids == byte_bpe().encode("x = 1").ids


def test_names_of_tiktoken(monkeypatch: pytest.MonkeyPatch) -> None:
    import tiktoken

    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: (name, tiktoken_small())[1] if name == "cl100k_base" else None)
    assert load_tokenizer("cl100k_base") is tiktoken_small()
    assert load_tokenizer("gpt-4") is tiktoken_small()


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be reached."""
    import socket

    import tiktoken

    def unreachable(*args: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(tiktoken, "get_encoding", unreachable)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_an_unknown_name_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch)
    with pytest.raises(TokenizerError) as caught:
        load_tokenizer("nobody/nothing")
    assert str(caught.value).startswith(
        "error: no tokenizer 'nobody/nothing': tiktoken does not know it; it is not in the cache of the hub"
    )
    with pytest.raises(TokenizerError, match="tiktoken could not load cl100k_base: no network"):
        load_tokenizer("cl100k_base")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("t.json", b"{}", "not a tokenizer file"),
        ("t.json", b"\xff", "cannot read"),
        ("t.json.xz", b"no", "cannot read"),
        ("t.json", None, "no such file"),
    ],
)
def test_files_that_are_no_tokenizer(name: str, content: bytes | None, why: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(TokenizerError, match=f"{name}: error: {why}"):
        load_tokenizer(str(tmp_path / name))


def test_a_missing_library_is_named(vocabulary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(TokenizerError, match=r"this needs the library tokenizers\nhint: pip install .*tokenizers"):
        load_tokenizer(vocabulary)


# ---------------------------------------------------------------------------------------------------- learned tokens


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[", "it is not JSON"),
        ("[]", 'no "format": "simpy-learned-tokens"'),
        ('{"format": "simpy-learned-tokens", "version": 9}', "of version 9, expected 1"),
        ('{"format": "simpy-learned-tokens", "version": 1, "tokens": [""]}', '"tokens" is not a list of texts'),
        ('{"format": "simpy-learned-tokens", "version": 1, "tokens": ["a", "a"]}', "a learned token is listed twice"),
        ('{"format": "simpy-learned-tokens", "version": 1, "tokens": [], "meta": 1}', '"meta" is not an object'),
    ],
)
def test_files_that_hold_no_learned_tokens(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LearnedTokensError, match=f"learned.json: error: .*{why}"):
        LearnedTokens.load(path)


def test_learned_tokens_are_saved(tmp_path: Path) -> None:
    learned = LearnedTokens((")<line_sep>", "é\n"), "name", "classic", {"budget": 2})
    learned.save(tmp_path / "learned.json")
    assert LearnedTokens.load(tmp_path / "learned.json") == learned
    with pytest.raises(LearnedTokensError, match="cannot read"):
        LearnedTokens.load(tmp_path)


# ------------------------------------------------------------------------------------------------------- the command


def test_the_table(vocabulary: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "b.py").write_text("x = None\n", encoding="utf-8")
    assert main(["tokens", str(tmp_path), "--tokenizer", vocabulary]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == f"{vocabulary} (tokens)"
    assert [line.split()[0] for line in lines[1:]] == ["spelling", "python", "compact", "classic", "dense", "dense-newline"]
    assert err == "2 files counted\n"


def test_the_json(vocabulary: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.py"
    path.write_text(SOURCE, encoding="utf-8")
    learned = tmp_path / "learned.json"
    LearnedTokens(("zig.zag",), "small").save(learned)
    assert main(["tokens", str(path), "--tokenizer", vocabulary, "--learned", str(learned), "--json", "-q"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert report["files"] == 1
    found = report["tokenizers"][vocabulary]
    assert found["estimated"] is False
    assert list(found["spellings"]) == ["python", "compact", "classic", "dense", "dense-newline", "learned"]
    python, classic = found["spellings"]["python"], found["spellings"]["classic"]
    assert python["tokens"] == len(byte_bpe().encode(SOURCE).ids)
    assert classic["saved"] == round(100 * (1 - classic["tokens"] / python["tokens"]), 2)
    assert sum(classic["shares"].values()) == pytest.approx(100, abs=0.1)


def test_with_no_tokenizer_the_counts_are_estimates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offline(monkeypatch)
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    assert main(["tokens", str(tmp_path / "a.py"), "--dialect", "dense"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("estimate (estimated tokens)\n")
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["python", "dense"]
    tokens, saved = f"{within(20):g}", f"{saved_within(20):g}"
    assert err == (
        f"estimated for cl100k_base, within {tokens} %, and what is saved within {saved} points: "
        "name a vocabulary with --tokenizer for exact counts\n1 file counted\n"
    )


def test_the_json_of_estimates_says_how_far_off_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    assert main(["tokens", str(tmp_path / "a.py"), "--json", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)["tokenizers"]["estimate"]
    tokens = found["spellings"]["python"]["tokens"]
    assert found["estimated"] is True
    assert (found["vocabulary"], found["within"]) == ("cl100k_base", {"tokens": within(tokens), "saved": saved_within(tokens)})


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_chart(suffix: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra charts is not installed")
    (tmp_path / "a.py").write_text(SOURCE, encoding="utf-8")
    chart = tmp_path / f"chart{suffix}"
    assert main(["tokens", str(tmp_path / "a.py"), "--chart", str(chart)]) == 0
    assert chart.read_bytes().startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


def test_bad_input_is_reported_and_the_rest_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "b.py").write_text("x = = 1\n", encoding="utf-8")
    assert main(["tokens", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert "python" in out
    assert "b.py:1:5: error: invalid syntax" in err
    assert "1 file counted; 1 error" in err


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--chart", "chart.gif"], "chart.gif: error: a chart is a .png or an .svg file"),
        (["--tokenizer", "missing/tokenizer.json"], "missing/tokenizer.json: error: no such file"),
        (["--learned", "missing.json"], "missing.json: error: cannot read: No such file"),
        (["--dialect", "nonsense"], "no dialect 'nonsense'"),
    ],
)
def test_options_that_cannot_work(options: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    assert main(["tokens", str(tmp_path), *options]) == 2
    assert why in capsys.readouterr().err


def test_the_folder_of_vocabularies_serves_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = vocabularies()
    if folder is None:
        pytest.skip("no folder of vocabularies (SIMPY_VOCAB)")
    monkeypatch.setenv("SIMPY_VOCAB", str(folder))
    path = tmp_path / "golden.py"
    path.write_text(PYTHON, encoding="utf-8")
    assert main(["tokens", str(path), "--tokenizer", "codebert", "--tokenizer", "starcoder", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["tokenizers"]
    for name in ("codebert", "starcoder"):
        spellings = counts[name]["spellings"]
        assert (spellings["python"]["tokens"], spellings["classic"]["tokens"]) == KNOWN[name]
    assert encode(PYTHON)
