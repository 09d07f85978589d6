"""What the command says beside results: what was meant, what is missing, how far it is, what the tokens are; nothing acts on a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from simpy_cli import token_counts
from simpy_cli.main import main
from simpy_cli.options import DIALECTS
from simpy_cli.registry import COMMANDS
from simpy_cli.token_counts import Vocabulary
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, visible
from simpy_grammar.installing import LIBRARIES, install
from tests.helpers import estimated

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    Path("a.py").write_text("def f(a, b):\n    return a\n")


# ------------------------------------------------------------------------------------------------- did you mean

MEANT = {
    "encod a.py": "encode",
    "chekc a.py": "check",
    "Encode a.py": "encode",
    "help chek": "check",
    "encode --dialct dense a.py": "--dialect",
    "encode --in-plce a.py": "--in-place",
    "convert --too dense a.py": "--to",
    "check --jsn a.py": "--json",
    "view a.py --view sigatures": "signatures",
    "view a.py --view no-coments": "no-comments",
    "encode --dialect clasic a.py": "classic",
    "encode --dialect dens-newline a.py": "dense-newline",
    "decode --format blak a.py": "black",
    "view --numbers al a.py": "all",
    "grammar exprt": "export",
}


@pytest.mark.parametrize("words", MEANT)
def test_did_you_mean(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == "" and ": error: " in err and err.endswith(f"hint: did you mean {MEANT[words]}?\n")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("zzz", "hint: see `simpy --help`\n"),
        ("encode --zzz a.py", "error: unrecognized arguments: --zzz\n"),
        (
            "encode --dialect zzz a.py",
            f"hint: use one of {', '.join(DIALECTS)}, or a dialect file\n",
        ),
        (
            "encode --dialect ./dense.lark a.py",
            f"hint: use one of {', '.join(DIALECTS)}, or a dialect file\n",
        ),
    ],
)
def test_nothing_is_guessed_from_afar(words: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert capsys.readouterr().err.endswith(hint)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    whole = capsys.readouterr().out
    assert all(name in whole for name in COMMANDS)
    for name in COMMANDS:
        assert main(["help", name]) == 0
        by_command = capsys.readouterr().out
        assert main([name, "--help"]) == 0
        assert capsys.readouterr().out == by_command


# ------------------------------------------------------------------------------------------------------- install

# What needs each library, in a folder that holds a.py and tokenizer.json.
NEEDS = {
    "openai": ["chat", "hi", "--model", "http://127.0.0.1:1/v1"],
    "openai ": ["complete", "a.py", "--model", "http://127.0.0.1:1/v1"],
    "starlette": ["serve", "--upstream", "http://127.0.0.1:1"],
    "uvicorn": ["serve", "--upstream", "http://127.0.0.1:1"],
    "httpx": ["serve", "--upstream", "http://127.0.0.1:1"],
    "mcp": ["mcp", "."],
    "transformers": ["chat", "hi", "--model", "."],
    "torch": ["chat", "hi", "--model", "."],
    "matplotlib": ["tokens", "a.py", "--chart", "a.svg"],
    "tokenizers": ["tokens", "a.py", "--tokenizer", "tokenizer.json"],
    "tokenizers ": ["encode", "a.py", "--tokenizer", "tokenizer.json"],
    "torch ": ["fit", "--model", ".", "--corpus", ".", "-o", "x.lark"],
    "sklearn": ["policy", "train", "requests.jsonl", "-o", "refuse.json"],
    "tiktoken": ["fit", "--tokenizer", "cl100k_base", "--corpus", ".", "-o", "x.lark"],
}


@pytest.mark.parametrize("library", NEEDS)
def test_a_missing_library_is_a_hint(library: str) -> None:
    Path("tokenizer.json").write_text("{}")
    Path("config.json").write_text("{}")
    blocked = [name for name in LIBRARIES if LIBRARIES[name] == LIBRARIES[library.strip()]]
    code = (
        f"import sys\nfor name in {blocked}: sys.modules[name] = None\n"
        f"from importlib import util\nwhole = util.find_spec\n"
        f"util.find_spec = lambda name, package=None: None if name in {blocked} else whole(name, package)\n"
        f"from simpy_cli.main import main\nsys.exit(main({NEEDS[library]!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SIMPY_VOCAB": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert f'pip install -e "{ROOT}[{LIBRARIES[library.strip()]}]"' in done.stderr


def test_how_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert install("openai") == 'pip install -e ".[serve]"'
    wanted = ["lark>=1", 'openai>=1.50; extra == "serve"', "httpx>=0.27 ; extra == 'serve'", 'mcp>=2; extra == "mcp"']
    monkeypatch.setattr(metadata, "requires", lambda name: wanted)
    # Installed from a wheel: the libraries by their own names, whatever an index knows of ours.
    assert install("openai", root=str(tmp_path)) == 'pip install "openai>=1.50" "httpx>=0.27"'
    assert install("pathspec", root=str(tmp_path)) == 'pip install "pathspec"'

    def unknown(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", unknown)
    assert install("huggingface_hub", root=str(tmp_path)) == 'pip install "huggingface-hub"'


def test_another_missing_module_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "simpy_cli.conversion", None)
    with pytest.raises(ModuleNotFoundError):
        main(["encode", "a.py"])


# -------------------------------------------------------------------------------------------------------- visible

NASTY = "a\x1b[31m\u202eb\x9b\n.py"
SHOWN = "a\\x1b[31m\\u202eb\\x9b\\n.py"


def test_visible() -> None:
    assert visible(NASTY) == SHOWN
    assert visible("a\tb\nc\r\x7f", in_line=False) == "a\tb\nc\\r\\x7f"
    assert visible("é 中 \N{SNOWMAN} \U0001f600") == "é 中 \N{SNOWMAN} \U0001f600"
    assert visible(os.fsdecode(b"\xff")) == "\\udcff"
    error = SimPyError("bad \x1b[0m", path=NASTY, line=1, source_line="\x1b", hint="\x1b]0;x\x07")
    assert "\x1b" not in str(error) and "\x07" not in str(error)


COMMANDS_WITH_NAMES = (
    ["encode", NASTY],
    ["encode", NASTY, "-v", "-o", "out"],
    ["encode", NASTY, "--diff"],
    ["encode", NASTY, "--check", "--in-place"],
    ["decode", NASTY],
    ["check", NASTY, "-v"],
    ["view", NASTY, "a.py"],
    ["tokens", NASTY, "-v"],
    ["edit", NASTY, "--old", "x = 1", "--new", "x = 2", "--diff"],
    ["edit", NASTY, "--old", "no", "--new", "x = 2"],
    ["encode", ".", "-o", "out", "--exclude", "a.py"],
    ["encode", "gone\x1b[31m.py"],
    ["encode", "a.py", "--\x1b[31m"],
    ["encode", "a.py", "--dialect", "\x1b[31m"],
    ["\x1b[31m"],
    ["help", "\x1b[31m"],
    ["tokens", "a.py", "--tokenizer", "\x1b[31m.json"],
    ["mcp", "\x1b[31m"],
    ["run", "gone\x1b[31m.simpy"],
    ["view", "a.py", "--view", "symbol=\x1b[31m"],
)


@posix
@pytest.mark.parametrize("words", COMMANDS_WITH_NAMES, ids=lambda words: visible(" ".join(words)))
@pytest.mark.parametrize("text", ["x = 1\n", "x = = 1\n"])
def test_names_are_made_visible(words: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(NASTY).write_text(text)
    main(words)
    shown = "".join(capsys.readouterr())
    assert not set(shown) & set("\x1b\u202e\x9b")


@pytest.mark.parametrize("words", [["encode", "b.py", "-q"], ["encode", "b.py", "--diff", "-q"], ["view", "b.py", "-q"]])
def test_a_terminal_is_not_acted_on_and_a_pipe_gets_every_byte(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    Path("b.py").write_text("x = 1  # \x1b]0;title\x07 é\n", encoding="utf-8")
    screen = Terminal()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", screen)
        assert main(words) == 0
    assert "# \\x1b]0;title\\x07 é" in screen.getvalue()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    piped = subprocess.run([sys.executable, "-m", "simpy_cli", *words], capture_output=True, env=environment, timeout=120, check=True)
    assert "# \x1b]0;title\x07 é".encode() in piped.stdout


# ------------------------------------------------------------------------------------------------ IPython's lines

IPYTHON = ("%matplotlib inline", "!ls", "print?", "files = !ls", "%%time", "?print", "x = %who_ls")


@pytest.mark.parametrize("line", IPYTHON)
@pytest.mark.parametrize("before", ["", "x = 1\n", "if x:\n    "])
def test_a_line_of_ipython_is_named(before: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.py").write_text(f"{before}{line}\n")
    assert main(["encode", "b.py"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"b.py:{before.count(chr(10)) + 1}:") and "hint: this line is IPython's and not Python; " in err


@pytest.mark.parametrize("line", ["x = = 1", "x = 1 %", "def f(:", "x = 'abc", "print 'a?'"])
def test_other_faults_are_not_ipythons(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.py").write_text(f"{line}\n")
    assert main(["encode", "b.py"]) == 2
    assert "IPython" not in capsys.readouterr().err


# --------------------------------------------------------------------------------------------- progress and tokens


def test_tokens_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    Path("src").mkdir()
    for i in range(3):
        Path(f"src/{i}.py").write_text("x = 1\n")
    monkeypatch.setattr(sys, "stderr", screen)
    assert main(["tokens", "src", "--dialect", "classic"]) == 0
    assert f"[{'#' * 30}] 3/3\r\x1b[K" in screen.getvalue()


def test_learn_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tokenizers")
    from tests.small_tokenizers import byte_bpe

    Path("src").mkdir()
    for i in range(6):
        Path(f"src/{i}.py").write_text("def f(self, a):\n    return self.a + a\n" * 20)
    byte_bpe().save("tokenizer.json")
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["learn", "--tokenizer", "tokenizer.json", "--corpus", "src", "--budget", "4", "-o", "l.json"]) == 0
        assert ("\r[" in stream.getvalue() and "#/" not in stream.getvalue()) == shown


def test_the_closing_line_counts_with_a_named_vocabulary(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tokenizers")
    from tests.small_tokenizers import byte_bpe
    from tokenizer_ext import count_program

    tokenizer = byte_bpe()
    tokenizer.save("tokenizer.json")
    before, after = count_program(Path("a.py").read_bytes(), tokenizer, dialect="dense")
    assert main(["encode", "a.py", "--dialect", "dense", "--tokenizer", "tokenizer.json", "-o", "a.simpy"]) == 0
    assert capsys.readouterr().err == f"1 file encoded, {before} -> {after} tokens (tokenizer.json)\n"
    assert main(["decode", "a.simpy", "--dialect", "dense", "--tokenizer", "tokenizer.json", "--check", "-o", "a.py"]) == 0
    assert capsys.readouterr().err == f"1 file would be decoded, {after} -> {before} tokens (tokenizer.json)\n"


def test_without_a_vocabulary_it_is_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    from tokenizer_ext import count_program

    assert main(["encode", "a.py", "-o", "a.simpy"]) == 0
    assert capsys.readouterr().err == f"1 file encoded, {estimated(*count_program(Path('a.py').read_bytes()))}\n"


def test_what_tiktoken_has_is_used_where_a_person_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tiktoken")
    name, file = token_counts._CACHED
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    screen = Terminal()
    assert Vocabulary.at_hand("gpt2").name == "gpt2"
    monkeypatch.setattr(sys, "stderr", screen)
    assert Vocabulary.at_hand(None).name is None
    (tmp_path / file).write_text("")
    assert Vocabulary.at_hand(None).name == name
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert Vocabulary.at_hand(None).name is None


def test_of_many_files_some_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("src").mkdir()
    for i in range(100):
        Path(f"src/m{i:02}.py").write_text("x = f(a, b)\n")
    assert main(["encode", "src", "-o", "out", "--fast"]) == 0
    one = Vocabulary(None)
    before, after = one.count("x = f(a, b)\n", Dialect.load("python")), one.count("x=f(a b)", Dialect.load("classic"))
    assert capsys.readouterr().err == f"100 files encoded, {estimated(100 * before, 100 * after)}\n"


def test_quiet_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "_counter", lambda name, dialect: pytest.fail("tokens were counted"))
    assert main(["encode", "a.py", "-o", "a.simpy", "-q"]) == 0


def test_json_has_no_characters_that_act(capsys: pytest.CaptureFixture[str]) -> None:
    Path("b\x1b.py").write_text("x = 1\n")
    assert main(["check", "b\x1b.py", "--json", "-q"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out and json.loads(out)["files"][0]["path"] == "b\x1b.py"
