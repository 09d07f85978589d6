"""The options of ``simpy serve``: on the command line, in the environment (``SIMPY_SERVE_...``) and in the file of ``--config``."""

from __future__ import annotations

import argparse

from simpy_cli.numbers import whole
from simpy_cli.option_sources import Option

PREFIX = "SIMPY_SERVE_"


def _key(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("a key is a word of ASCII characters")
    return text


def _key_of_server(text: str) -> tuple[str, str]:
    url, equals, key = text.partition("=")
    if not (equals and url.startswith(("http://", "https://"))):
        raise argparse.ArgumentTypeError("write it as URL=KEY")
    return url, _key(key)


OPTIONS = (
    Option("upstream", "", "the base URL of the server behind; without a path, /v1 is added", metavar="URL"),
    Option("config", "", "a TOML file with any of these options; SIGHUP reads it again", metavar="FILE", in_file=False, changes=False),
    Option("host", "127.0.0.1", "address to listen on (default 127.0.0.1)", changes=False),
    Option("port", 8642, "port to listen on; 0 for a free one (default 8642)", whole(), changes=False),
    Option(
        "dialect",
        "compact",
        "what the model reads and writes: compact for one that was not trained on SimPy, else classic, dense, "
        "dense-newline, classic-spaced, dense-spaced, dense-open, auto (what suits --tokenizer best) or a file (default compact)",
        metavar="DIALECT",
    ),
    Option(
        "constrain",
        "",
        "the engine of the upstream, which is asked to hold the code in answers of chats to the grammar (see docs/engines.md)",
        choices=("vllm", "sglang", "llama.cpp"),
    ),
    Option("bare", False, "convert code outside of fenced blocks too"),
    Option("numbers", True, "number definitions where a gutter of line numbers is taken away (default)"),
    Option("tools", "on", "convert the Python in results of tools too, whole files included (default on)", choices=("on", "off")),
    Option("edit-tools", "", "a TOML file with edit tools of agents beside those that are known (see docs/tool-calls.md)", metavar="FILE"),
    Option(
        "on-error",
        "pass",
        "pass what cannot be converted on as it is, or answer with an error (default pass)",
        choices=("pass", "raise"),
    ),
    Option("api-key", (), "a key that clients must send; may be repeated. Others see it here: better in file or environment", _key, "KEY"),
    Option("upstream-key", "", "the key for the upstream, in the place of the client's; better in file or environment", _key, "KEY"),
    Option(
        "policy",
        (),
        "what spends less for the same answer, as NAME or NAME:OPTION=VALUE,OPTION=VALUE (see docs/policies.md); may be repeated, "
        "the outermost first",
        metavar="POLICY",
        separator=";",
    ),
    Option(
        "policy-key",
        (),
        "the key for another server that a policy asks, which never gets a client's; may be repeated. Better in file or environment",
        _key_of_server,
        "URL=KEY",
    ),
    Option("workers", 1, "processes that convert long texts; 0 for threads only (default 1)", whole(), "N", changes=False),
    Option("memory", 64, "room in which conversions are remembered (default 64)", whole(), "MIB", changes=False),
    Option("concurrency", 128, "requests at the upstream at once (default 128)", whole(least=1), "N"),
    Option("queue", 256, "requests that may wait; more get 503 (default 256)", whole(), "N"),
    Option("max-body", 32, "largest request; more gets 413 (default 32)", whole(least=1), "MIB"),
    Option("timeout", 600, "silence of the upstream (default 600)", whole(least=1), "SECONDS"),
    Option("grace", 30, "for running answers at the end (default 30)", whole(least=1), "SECONDS", changes=False),
    Option(
        "tokenizer",
        "",
        "count tokens with this tokenizer in /metrics (see simpy tokens); for --dialect auto",
        metavar="NAME",
        changes=False,
    ),
    Option("cors", (), "let web pages of this origin use the proxy, * for all; may be repeated", metavar="ORIGIN", changes=False),
    Option("log-prompts", False, "write prompts and answers to the log"),
    Option("log-format", "text", "lines of the log as text, or as JSON objects (default text)", choices=("text", "json")),
    Option("quiet", False, "log warnings and errors only", short="-q"),
)
