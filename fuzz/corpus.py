"""What fuzzing starts from: the kept corpus of each target, the test cases in small pieces, and a dictionary of tokens.

A kept corpus is a file of JSON strings, one a line, whose characters are bytes.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import transpiler
from fuzz.properties import PLAIN, WITH_ALIASES
from simpy_grammar.dialect import BUILT_IN, COMPACT, Dialect
from simpy_grammar.errors import SimPyError

KEPT = Path(__file__).parent / "corpus"
CASES = Path(__file__).parent.parent / "tests"
_LONGEST = 400  # bytes of a seed: short ones run fast and cross well
_WORDS = (
    "def class if elif else for while try except finally with match case return raise import from as lambda yield await async "
    "not and or in is None True False pass type global del assert print"
).split()
_MARKS = (
    '"""',
    "'''",
    "f'",
    'f"',
    "rf'",
    "{{",
    "}}",
    "!r}",
    ":=",
    "->",
    "**",
    "\\\n",
    "\r\n",
    "\f",
    "# c\n",
    "\ufeff",
    "\\N{DASH}",
    "...",
    "0x",
)
_PROXY = (
    "```python\n",
    "```py\n",
    "```simpy\n",
    "\n```\n",
    "~~~",
    '{"messages":[',
    '{"role":"user","content":"',
    '{"prompt":"',
    '"n":2',
    "data: ",
)


def kept(target: str) -> list[bytes]:
    """The kept corpus of a target; those that compare with the native core share the corpus of texts in pieces."""
    path = KEPT / f"{_shared(target)}.jsonl"
    if not path.exists():
        return []
    return [json.loads(line).encode("latin-1") for line in path.read_text(encoding="ascii").splitlines()]


def _shared(target: str) -> str:
    return f"{target.removeprefix('native_')}_stream" if target.startswith("native_") else target


def keep(target: str, inputs: list[bytes]) -> None:
    """Write the kept corpus of a target, the short ones first."""
    ordered = sorted(set(inputs), key=lambda data: (len(data), data))
    lines = [json.dumps(data.decode("latin-1")) + "\n" for data in ordered]
    (KEPT / f"{_shared(target)}.jsonl").write_text("".join(lines), encoding="ascii")


def seeds(target: str) -> Iterator[bytes]:
    """The test cases as inputs of a target."""
    target = _shared(target)
    for number, python in enumerate(_programs()):
        for index, dialect in enumerate(PLAIN):
            head = bytes((index,))
            if target == "encode":
                head = bytes((index + 4 * (number % 64),))  # where a beginning of it ends
                seed = head + python.encode("utf-8")
            elif target == "encode_stream":
                seed = head + bytes((number % 256,)) + python.encode("utf-8")
            else:
                try:
                    simpy = transpiler.encode(python, dialect=dialect, verify=False)
                except SimPyError:
                    continue
                if target == "decode":
                    seed = head + simpy.encode("utf-8")
                elif target == "decode_stream":
                    if number % 2 and dialect != COMPACT:
                        head, simpy = bytes((index + WITH_ALIASES,)), _aliased(simpy, dialect)
                    seed = head + bytes((number % 256,)) + simpy.encode("utf-8")
                else:
                    text = python if number % 2 else simpy
                    seed = bytes((index + 4 * (number % 2), number % 256)) + f"So:\n```python\n{text}\n```\nwell".encode()
            if len(seed) <= _LONGEST:
                yield seed


def _aliased(simpy: str, dialect: str) -> str:
    """A program in which the first names have aliases, however short they are."""
    texts: list[str] = []
    bound: dict[str, str] = {}
    for lexeme in transpiler.lexemes(simpy, dialect=dialect):
        text = lexeme.text
        if lexeme.terminal == "NAME" and len(bound) < 4 and text not in bound:
            bound[text] = f"<n{len(bound)}>"
            text += bound[text]
        texts.append(bound.get(text, text) if lexeme.terminal == "NAME" else text)
    return "".join(texts)


def dictionary(target: str) -> list[bytes]:
    """Texts that mutations put in: the tokens of all dialects, Python's words, and what requests are made of."""
    tokens = {text for name in BUILT_IN for texts in Dialect.load(name).spellings.values() for text in texts if text}
    tokens |= {"<comment>", "<comment>\n", "<debug>", "<debug\\>", "<n", "<n0>", "<n1>", "<n4>"}
    words = {*_WORDS, *_MARKS} if not target.startswith("decode") else set(_MARKS)
    return sorted(text.encode("utf-8") for text in (tokens | words | (set(_PROXY) if target == "request" else set())))


def _programs() -> Iterator[str]:
    """The statements of the test cases, one by one, and their faulty texts."""
    from tests.golden import cases, errors

    for case in cases():
        yield from _statements(case.python)
    for case in errors():
        for name, text in case.sections.items():
            if name in ("python", "simpy"):
                yield text
    for row in json.loads((CASES / "cases" / "tricky_constructs.json").read_text(encoding="utf-8")):
        yield row["python"]


def _statements(python: str) -> Iterator[str]:
    try:
        body = ast.parse(python).body
    except SyntaxError:
        yield python
        return
    lines = python.splitlines(keepends=True)
    starts = [node.lineno - 1 - len(getattr(node, "decorator_list", ())) for node in body]
    for start, end in zip([0, *starts[1:]], [*starts[1:], len(lines)], strict=False):
        yield "".join(lines[start:end])
