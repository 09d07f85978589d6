"""Where the options of `simpy serve` may stand: which place wins, and what is said about options that do not exist."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from simpy_cli.main import build_parser
from simpy_cli.option_sources import read_options
from simpy_cli.serve_options import OPTIONS, PREFIX
from simpy_grammar.errors import SimPyError

pytestmark = pytest.mark.quick
BY_NAME = {option.name: option for option in OPTIONS}
# For each option, two values as words of the command line, and what the first of them means.
VALUES: dict[str, tuple[str, str, Any]] = {
    "upstream": ("http://a/v1", "http://b/v1", "http://a/v1"),
    "host": ("::1", "0.0.0.0", "::1"),
    "port": ("81", "82", 81),
    "dialect": ("dense", "classic", "dense"),
    "bare": ("true", "false", True),
    "numbers": ("false", "true", False),
    "tools": ("off", "on", "off"),
    "edit-tools": ("a.toml", "b.toml", "a.toml"),
    "on-error": ("raise", "pass", "raise"),
    "api-key": ("one", "two", ("one",)),
    "policy": ("stop", "cache:file=a,size=3", ("stop",)),
    "policy-key": ("http://a=one", "http://a=two", (("http://a", "one"),)),
    "upstream-key": ("one", "two", "one"),
    "workers": ("0", "3", 0),
    "memory": ("0", "3", 0),
    "concurrency": ("1", "2", 1),
    "queue": ("0", "2", 0),
    "max-body": ("1", "2", 1),
    "timeout": ("1", "2", 1),
    "grace": ("1", "2", 1),
    "tokenizer": ("cl100k", "o200k", "cl100k"),
    "cors": ("http://a", "http://b", ("http://a",)),
    "log-prompts": ("true", "false", True),
    "constrain": ("vllm", "sglang", "vllm"),
    "log-format": ("json", "text", "json"),
    "quiet": ("true", "false", True),
}


def chosen(words: list[str], environment: dict[str, str]) -> argparse.Namespace:
    args = build_parser(["serve"]).parse_args(["serve", *words])
    return read_options(OPTIONS, vars(args), environment, PREFIX)


def on_line(name: str, word: str) -> list[str]:
    if BY_NAME[name].is_switch:
        return [f"--{name}" if word == "true" else f"--no-{name}"]
    return [f"--{name}", word]


def in_file(path: Path, name: str, word: str) -> list[str]:
    path.write_text(f"{name} = {word}\n" if word.isdigit() or word in ("true", "false") else f'{name} = "{word}"\n')
    return ["--config", str(path)]


def variable(name: str) -> str:
    return PREFIX + name.upper().replace("-", "_")


def test_every_option_has_values_here() -> None:
    assert {*VALUES, "config"} == set(BY_NAME)


@pytest.mark.parametrize("name", VALUES)
def test_each_option_may_stand_in_each_place(name: str, tmp_path: Path) -> None:
    word, other, value = VALUES[name]
    dest = BY_NAME[name].dest
    assert getattr(chosen(on_line(name, word), {}), dest) == value
    assert getattr(chosen([], {variable(name): word}), dest) == value
    file = in_file(tmp_path / "serve.toml", name, word)
    assert getattr(chosen(file, {}), dest) == value
    assert getattr(chosen([], {"SIMPY_SERVE_CONFIG": file[1]}), dest) == value


@pytest.mark.parametrize("name", VALUES)
def test_the_command_line_wins_over_the_environment_and_this_over_the_file(name: str, tmp_path: Path) -> None:
    word, other, value = VALUES[name]
    dest = BY_NAME[name].dest
    file = in_file(tmp_path / "serve.toml", name, other)
    assert getattr(chosen(file, {}), dest) != value
    assert getattr(chosen(file, {variable(name): word}), dest) == value
    assert getattr(chosen([*file, *on_line(name, word)], {variable(name): other}), dest) == value


def test_lists(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text('cors = ["http://a", "http://b"]\n')
    both = ("http://a", "http://b")
    assert chosen(["--config", str(tmp_path / "serve.toml")], {}).cors == both
    assert chosen([], {"SIMPY_SERVE_CORS": "http://a, http://b"}).cors == both
    assert chosen(["--cors", "http://a", "--cors", "http://b"], {"SIMPY_SERVE_CORS": "http://c"}).cors == both


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("max_body = 3", "'max_body' is not an option", "did you mean max-body?"),
        ("dialec = 'classic'", "'dialec' is not an option", "did you mean dialect?"),
        ("zzz = 3", "'zzz' is not an option", ""),
        ("config = 'other.toml'", "'config' is not an option", ""),
        ("[serve]\nport = 3", "'serve' is not an option", ""),
        ("port = 'x'", "port: 'x' is not a whole number", ""),
        ("port = true", "port: a value of type bool does not fit", ""),
        ("timeout = 1.5", "timeout: a value of type float does not fit", ""),
        ("concurrency = 0", "concurrency: '0' is not a whole number from 1", ""),
        ("bare = 1", "bare: it is true or false", ""),
        ("on-error = 'stop'", "on-error: 'stop' is not one of pass, raise", ""),
        ("api-key = ''", "api-key: it is empty", ""),
        ("api-key = ['']", "api-key: a key is a word of ASCII characters", ""),
        ("port = ", "is not TOML", ""),
        ("\xff", "is not TOML", ""),
    ],
)
def test_a_wrong_line_in_the_file(text: str, message: str, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "serve.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SimPyError) as caught:
        chosen(["--config", str(path)], {})
    assert message in caught.value.message and caught.value.path == str(path) and caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("name", "word", "message", "hint"),
    [
        ("SIMPY_SERVE_MAXBODY", "3", "SIMPY_SERVE_MAXBODY, which is not an option", "did you mean SIMPY_SERVE_MAX_BODY?"),
        ("SIMPY_SERVE_PORT", "tcp://10.0.0.1", "SIMPY_SERVE_PORT in the environment: 'tcp://10.0.0.1' is not a whole number", ""),
        ("SIMPY_SERVE_BARE", "maybe", "SIMPY_SERVE_BARE in the environment: 'maybe' is neither true nor false", ""),
        ("SIMPY_SERVE_API_KEY", "", "SIMPY_SERVE_API_KEY in the environment: it is empty", ""),
    ],
)
def test_a_wrong_variable(name: str, word: str, message: str, hint: str) -> None:
    with pytest.raises(SimPyError) as caught:
        chosen([], {name: word})
    assert message in caught.value.message and caught.value.hint == hint


def test_other_variables_do_not_matter() -> None:
    assert chosen([], {"SIMPY_CACHE": "/nowhere", "PATH": "x"}).port == 8642


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SimPyError, match="cannot be read: No such file"):
        chosen(["--config", str(tmp_path / "none.toml")], {})


@pytest.mark.parametrize("key", ["my key", "schlüssel", "a\nb"])
def test_a_bad_key_is_not_repeated(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chosen(["--api-key", key], {})
    with pytest.raises(SimPyError) as caught:
        chosen([], {"SIMPY_SERVE_UPSTREAM_KEY": key})
    said = capsys.readouterr().err + str(caught.value)
    assert "a key is a word of ASCII characters" in said and key not in said


def test_the_file_in_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parent.parent / "docs" / "serve.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "serve.toml").write_text(block)
    found = chosen(["--config", str(tmp_path / "serve.toml")], {})
    assert (found.max_body, found.tools, found.log_format, len(found.cors)) == (64, "off", "json", 2)
