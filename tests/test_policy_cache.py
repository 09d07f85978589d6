"""The policy ``cache``: which prompts share an answer, what the answer is in another layout, and what the file promises."""

from __future__ import annotations

import ast
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator, Mapping
from pathlib import Path

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.conversion.tool_results import PythonCode
from dualcode.policies.answer_layout import with_indents, without_indents
from dualcode.policies.answer_store import AnswerStore, Stored
from dualcode.policies.cache import Cache
from dualcode.policies.canonical_forms import canonical
from dualcode.policies.guarded import open_policies
from dualcode.policies.identity import identity_of
from dualcode.policies.protocol import Answer, Question
from dualcode.policies.registry import open_policy
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError

GREEDY = {"temperature": 0}

SAME = [
    ("if a:\n  b = 1\n  c", "if (a):\n    b=1\n    c"),
    ("x = (a) + b * (c) - ", "x = a+b*c - "),
    ("f(a,\n  b,\n) + ", "f(a, b) + "),
    ("try:\n  a\n", "try:\n      (a)\n"),
    ("try:\n\ta\nexcept E:\n\tb\nelse:\n\tc", "try:\n a\nexcept E:\n b\nelse:\n c"),
    ("match x:\n  case 1:\n    y\n", "match x:\n        case 1:\n           y\n"),
    ("@a\n", "@(a)\n"),
    ("    return a + ", "  return a+ "),
    ("d = {'a': 0x10, ", 'd = {"a": 16,'),
    ("x = u'a' 'b', ", 'x = "ab",'),
    ("x = 1; y = 2; z = ", "x=1\ny=2\nz= "),
    ("# c\nx", "#c\n\n\nx"),
    ("def f():  # why\n  a\n", "def f():\n    # why\n    a\n"),
    ("x = 1 + \\\n  y", "x = 1+y"),
    ("if a:\n    \\\n  b\n    c", "if a:\n  b\n  c"),
    ("if a:\n\\\n  b\n  ", "if a:\n    b\n    "),
    ("if a:\n    \\\n ", "if a:\n  "),
    ("if a:\n \f  b\n\f\n  ", "if a:\n    b\n    "),
    ("f(lambda a, b,: ", "f(lambda a, b: "),
    ("x = 1; assert", "x = 1\nassert"),
    ("x = 1; [", "x = 1\n["),
    ("x = 1; match = ", "x = 1\nmatch = "),
    ("x = 1; print(", "x = 1\nprint("),
    ("a[*b,] + ", "a[*b] + "),
]
OTHER = [
    ("ret", "ret "),
    ("x = 1", "x = 10"),
    ("x =", "x = "),
    ("if a:\n  b\n", "if a: b\n"),
    ("if a:\n  b\nelse:\n  if c:\n    d\n", "if a:\n  b\nelif c:\n  d\n"),
    ("if a:\n  b\nelse:\n  if c:\n    d\ne", "if a:\n  b\nelif c:\n  d\ne"),
    ("x = (a", "x = a"),
    ("x = (a + b)", "x = a + b"),
    ("x = (a + b) * ", "x = a + b * "),
    ("# a\nx", "# b\nx"),
    ("match (a,)", "match (a)"),
    ("x[a,] + ", "x[a] + "),
    ("x = (a,) + ", "x = a + "),
    ("x = ''", "x = '' "),
    ("x = 1; i", "x = 1\ni"),
    ("x = 1; de", "x = 1\nde"),
    ("x = 1; ", "x = 1\n"),
    ("x = 1; match ", "x = 1\nmatch "),
    ("x = 1; match (a, ", "x = 1\nmatch (a, "),
    ("x = 1; mat", "x = 1\nmat"),
    ("x = 1;; y = (", "x = 1\ny = ("),
    ("; y = (", "y = ("),
    ("a[b, :", "a[b :"),
    ("a[lambda: b, :", "a[lambda: b :"),
    ("if a:\n    \\\n  b\n    c", "if a:\n  b\nc"),
    ("if a:\n  b\n  ", "if a:\n  b\n"),
    ("x # a", "x # a "),
    ("'ab", "'abc"),
    ("'ab", '"ab'),
    ("def f():\n", "def f():\n  "),
    ("b'a'", "'a'"),
    ("1", "1.0"),
    ("x = = 1", "x == 1"),
    ("f(a)", "f((a)"),
    ("while a:\n  b\n  c", "while a:\n  b\nc"),
]


@pytest.mark.parametrize("one, other", SAME)
def test_layout_does_not_matter(one: str, other: str) -> None:
    assert canonical(one).lines is not None
    assert canonical(one).form == canonical(other).form


@pytest.mark.parametrize("one, other", OTHER)
def test_what_goes_on_in_another_way_is_another_prompt(one: str, other: str) -> None:
    assert canonical(one).form != canonical(other).form


def test_comments_matter_unless_they_are_not_to() -> None:
    one, other = "#!/bin/python\n# coding: utf-8\nx = f(  # type: int\n  a, # noqa\n ", "x=f(a, "
    assert canonical(one).form != canonical(other).form
    assert canonical(one, comments=False).form == canonical(other, comments=False).form
    assert canonical("x = 1  # a", comments=False).form != canonical("x = 1  # ab", comments=False).form


def test_a_text_that_is_not_python_is_itself() -> None:
    texts = ["x = = 1", "x = = 1 ", "a b\n", "if a:\nb\n", "f(]", "x\0", "é'\n", "a\r\nb\n\r", "  a\n b"]
    forms = {canonical(text).form for text in texts}
    assert len(forms) == len(texts)
    assert all(canonical(text).lines is None for text in texts)


@pytest.mark.parametrize(
    "prompt, answer, other",
    [
        ("def f(a):\n  if a:\n    ", "b(\n      c)\n  return d\n", "def f(a):\n\tif a:\n\t\t"),
        ("def f(a):\n  ", "if a:\n    b\n  # c\n\n  return '''\n  d'''\n", "def f( a ):\n      "),
        ("x = f(a,\n  ", "b)\nwhile c:\n    d\n", "x = f(a, "),
        ("class A:\n  def f(self): pass\n\n", "  def g(self):\n    pass\nx = 1\n", "class A:\n    def f(self): pass\n"),
    ],
)
def test_an_answer_is_laid_out_anew(prompt: str, answer: str, other: str) -> None:
    layout = without_indents(prompt, answer)
    assert layout is not None
    laid = with_indents(layout, other)
    assert laid is not None
    assert ast.dump(ast.parse(other + laid)) == ast.dump(ast.parse(prompt + answer))


@pytest.mark.parametrize("dialect, text", [("compact", "b\n  c\n"), ("classic", "b<line_sep>c<block_end>")])
def test_a_hit_is_right_in_another_layout(dialect: str, text: str) -> None:
    cache = Cache(":memory:")
    model = DualCode(Saying(text), dialect=dialect, policies=[cache])
    first = model.complete("if a:\n  x = ", temperature=0)
    again = model.complete("if (a):\n      x= ", temperature=0)
    assert first.policies == () and again.policies == ("cache: hit, laid out anew",)
    assert again.text == "b\n      c\n"
    assert again.usage.tokens_out == 0 and again.usage.avoided > 0
    assert model.complete("if a:\n  y = ", temperature=0).policies == ()


def test_an_answer_that_is_not_proved_is_not_given() -> None:
    cache = Cache(":memory:")
    for answer in ("b c (\n", "b\n   c\n  d\n"):
        ask(cache, "if a:\n  x = ", answer)
        assert cache.before(Question("complete", "if a:\n    x = ", options=GREEDY)) is None
        assert given(cache, "if a:\n  x = ") == answer


def test_gaps_are_known_by_both_sides() -> None:
    cache = Cache(":memory:")
    question = Question("infill", "x = f(a, ", ")\nif c:\n  d\n", options=GREEDY)
    cache.before(question)
    cache.after(question, Answer("b", "b", "end"))
    again = cache.before(Question("infill", "x = f(a,\n  ", " )\nif c:\n    d\n", options=GREEDY))
    assert again is not None and again.answer.text == "b"
    assert cache.before(Question("infill", "x = f(a, ", ")\nif c:\n  e\n", options=GREEDY)) is None


def test_a_clause_that_is_still_lacking_is_not_one_that_has_begun() -> None:
    body, clause = "try:\n    a\n    ", "try:\n    a\nfinally:\n    "
    assert canonical(body).form != canonical(clause).form
    assert canonical("x = simpy_lacks").form == repr(("text", "x = simpy_lacks"))


def test_chats_are_known_by_their_code_and_their_words() -> None:
    cache = Cache(":memory:", chats=True)

    def chat(text: str) -> Question:
        return Question("chat", messages=[{"role": "user", "content": text}], options=GREEDY)

    question = chat("Why?\n```python\nif a:\n  b = 'c'\n```\nSay.")
    cache.before(question)
    cache.after(question, Answer("Because.", "Because.", "end"))
    again = cache.before(chat('Why?\n```python\nif (a):\n    b = "c"\n```\nSay.'))
    assert again is not None and again.answer.text == "Because."
    for other in (
        "Why?\n```python\nif a:\n  b = 'd'\n```\nSay.",
        "Why?\n```python\nif a:\n  b = 'c'\n```\nSay",
        "Why?\n```\nif a:\n  b = 'c'\n```\nSay.",
    ):
        assert cache.before(chat(other)) is None
    cache.after(chat("```python\ndef f(): return 1\n```"), Answer("Yes.", "Yes.", "end"))
    assert cache.before(chat("```python\ndef f():\n    return 1\n\n\n```")) is not None
    cache.after(chat("```python\nif a: b\nelse:\n  if c: d\n```"), Answer("Yes.", "Yes.", "end"))
    assert cache.before(chat("```python\nif a:\n    b\nelif c:\n    d\n```")) is not None
    cache.after(chat("```python\nnot = python\n```"), Answer("Yes.", "Yes.", "end"))
    assert cache.before(chat("```python\nnot = python\n\n```")) is None
    cache.after(question, Answer("See line 2.", "See line 2.", "end"))
    assert cache.before(question) is not None
    assert cache.before(chat("Why?\n```python\nif a:\n    b = 'c'\n```\nSay.")) is None


def test_a_chat_in_another_layout_is_another_question_unless_asked_for() -> None:
    cache = Cache(":memory:")

    def chat(code: str) -> Question:
        return Question("chat", messages=[{"role": "user", "content": f"Which quotes?\n```python\n{code}\n```\n"}], options=GREEDY)

    cache.before(chat("x = 'a'"))
    cache.after(chat("x = 'a'"), Answer("Single quotes.", "Single quotes.", "end"))
    assert cache.before(chat("x = 'a'")) is not None
    assert cache.before(chat('x = "a"')) is None


def test_marked_python_is_another_text() -> None:
    cache = Cache(":memory:")
    marked, plain = (Question("chat", messages=[{"role": "user", "content": text}], options=GREEDY) for text in (PythonCode("x"), "x"))
    cache.before(marked)
    cache.after(marked, Answer("A name.", "A name.", "end"))
    assert cache.before(marked) is not None and cache.before(plain) is None


def test_an_answer_that_is_cut_is_cut_again() -> None:
    class Long:
        tasks = frozenset(("complete",))

        def run(self, request: Request) -> Generator[str, None, None]:
            yield "return 1\n\ndef g():\n  return 2\n"

        async def arun(self, request: Request) -> AsyncGenerator[str, None]:
            for piece in self.run(request):
                yield piece

        def count(self, text: str) -> int:
            return len(text)

    model = DualCode(Long(), policies=[Cache(":memory:", greedy=True), "stop"])
    first = model.complete("def f():\n  ")
    again = model.complete("def f():\n  ")
    anew = model.complete("def f():\n    ")
    assert first.text == again.text == anew.text == "return 1\n"
    assert again.policies == ("cache: hit",) and anew.policies == ("cache: hit, laid out anew",)


def test_what_stops_an_answer_may_be_layout() -> None:
    cache = Cache(":memory:")
    options = {**GREEDY, "stop": ["\n    "]}
    ask(cache, "if a:\n  ", "b\n  c\n", options=options)
    assert cache.before(Question("complete", "if a:\n  ", options=options)) is not None
    assert cache.before(Question("complete", "if a:\n    ", options=options)) is None


def test_calls_of_tools_are_not_lost_in_a_wrapper() -> None:
    cache = Cache(":memory:")
    question = Question("chat", messages=[{"role": "user", "content": "a"}], options={**GREEDY, "tools": [{"type": "function"}]})
    cache.before(question)
    cache.after(question, Answer("", "", "end"))
    assert cache.before(question) is None


def test_inner_policies_tell_models_apart(tmp_path: Path) -> None:
    file = f"cache:file={tmp_path / 'answers.sqlite'},greedy=yes"
    folder = tmp_path / "model"
    first, same, other = (
        identity_of({"": str(folder)}, Dialect.load("compact"), {"policies": [policy.identity for policy in open_policies(names)]})
        for names in ([file, "stop"], [file, "stop"], [file, "stop:until=statement"])
    )
    assert first == same != other


def test_the_file_of_the_cache_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    file.touch(mode=0o644)
    store = AnswerStore(file)
    store.put("a", stored("text"))
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


def test_only_what_would_be_answered_the_same_is_kept() -> None:
    cache = Cache(":memory:")
    for options in ({}, {"temperature": 0.5}, {"temperature": 0, "n": 2}):
        ask(cache, "x = ", "1\n", options=options)
        assert cache.before(Question("complete", "x = ", options=options)) is None
    for stopped, by in (("", ""), ("refused", ""), ("end", "another")):
        ask(cache, "x = ", "1\n", stopped=stopped, by=by)
        assert cache.before(Question("complete", "x = ", options=GREEDY)) is None
    ask(cache, "x = ", "1\n", options={"seed": 3, "temperature": 0.5})
    assert cache.before(Question("complete", "x = ", options={"seed": 3, "temperature": 0.5})) is not None
    assert cache.before(Question("complete", "x = ", options={"seed": 4, "temperature": 0.5})) is None
    sampling = Cache(":memory:", sampled=True)
    ask(sampling, "x = ", "1\n", options={})
    assert sampling.before(Question("complete", "x = ")) is not None


def test_all_else_is_part_of_the_question() -> None:
    cache = Cache(":memory:")
    ask(cache, "x = ", "1\n")
    others = [
        Question("complete", "x = ", options={**GREEDY, "max_tokens": 3}),
        Question("complete", "x = ", options=GREEDY, until="statement"),
        Question("complete", "x = ", options=GREEDY, model="small"),
        Question("complete", "x = ", options=GREEDY, dialect="dense"),
        Question("complete", "x = ", options=GREEDY, tenant="b"),
        Question("complete", "x = ", options=GREEDY, path="/completions"),
        Question("complete", "x = ", options=GREEDY, identity="another"),
        Question("infill", "x = ", options=GREEDY),
    ]
    assert [cache.before(other) for other in others] == [None] * len(others)
    assert given(cache, "x = ") == "1\n"


def test_another_model_has_its_own_answers(tmp_path: Path) -> None:
    policy = f"cache:file={tmp_path / 'answers.sqlite'}"
    one, other = DualCode(Saying("1\n"), policies=[policy]), DualCode(Saying("2\n"), policies=[policy])
    assert [model.complete("x = ", temperature=0).text for model in (one, other, one, other)] == ["1\n", "2\n", "1\n", "2\n"]


def test_the_file_is_bounded_and_the_least_used_goes_first() -> None:
    store = AnswerStore(":memory:", size=40_000, largest=5_000)
    assert not store.put("big", stored("x" * 5_000))
    store.put("first", stored("x" * 1_000))
    for number in range(60):
        assert store.put(str(number), stored("x" * 1_000))
        assert store.get("first") is not None
        store.touch("first")
    kept = [number for number in range(60) if store.get(str(number)) is not None]
    assert kept == list(range(kept[0], 60)) and 10 < len(kept) <= 30


def test_the_file_is_its_owners_and_holds_no_prompt(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    cache = Cache(file)
    ask(cache, "a_very_secret_name = ", "1\n")
    cache.close()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert given(Cache(file), "a_very_secret_name = ") == "1\n"


def test_threads_share_a_cache_and_a_file(tmp_path: Path) -> None:
    caches = [Cache(tmp_path / "answers.sqlite") for _ in range(2)]
    wrong: list[int] = []

    def work(number: int) -> None:
        for index in range(12):
            ask(caches[number % 2], f"x{index} = ", f"{index}\n")
            if given(caches[(number + 1) % 2], f"x{index} = ") != f"{index}\n":
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


_PROCESS = """
import sys, time
from dualcode.policies.answer_store import AnswerStore, Stored

file, mine, others = sys.argv[1:]
store, ends = AnswerStore(file), time.monotonic() + 50
for number in range(20):
    for key in (f"{mine} {number}", "both"):
        assert store.put(key, Stored("e", "p", mine, "", "end", 1, None, b"", ""))
    while (found := store.get(f"{others} {number}")) is None:  # so both write at the same time
        assert time.monotonic() < ends
        time.sleep(0.001)
    assert found.text == others and store.get("both").text in (mine, others)
"""


def test_processes_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    started = [subprocess.Popen([sys.executable, "-c", _PROCESS, str(file), *names]) for names in (("a", "b"), ("b", "a"))]
    assert [process.wait(60) for process in started] == [0, 0]
    store = AnswerStore(file)
    assert all(store.get(f"{name} {number}") is not None for name in "ab" for number in range(20))


@pytest.mark.parametrize("kind", ["damaged", "newer", "folder"])
def test_a_file_that_cannot_be_used_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    file = tmp_path / "answers.sqlite"
    if kind == "damaged":
        file.write_bytes(b"this is not a database" * 100)
    elif kind == "newer":
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        file.mkdir()
    before = file.read_bytes() if file.is_file() else b""
    cache = Cache(file)
    with caplog.at_level(logging.WARNING, "simpy.cache"):
        model = DualCode(Saying("1\n"), policies=[cache])
        assert [model.complete("x = ", temperature=0).text for _ in range(3)] == ["1\n"] * 3
    assert len(caplog.records) == 1 and str(file) in caplog.text
    assert (file.read_bytes() if file.is_file() else b"") == before


def test_options_are_read() -> None:
    cache = open_policy("cache:file=a.sqlite,size=2,answer=1,comments=no,sampled=yes,greedy=yes")
    assert isinstance(cache, Cache)
    assert (cache.store.size, cache.store.largest, cache.comments, cache.sampled, cache.greedy) == (2 << 20, 1 << 20, False, True, True)
    with pytest.raises(SimPyError, match="no option 'age'"):
        open_policy("cache:age=3")


class Saying:
    """A model that always says the same."""

    tasks = frozenset(("complete", "infill", "chat"))

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, request: Request) -> Generator[str, None, None]:
        yield from self.text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int:
        return len(text)


def ask(cache: Cache, prefix: str, answer: str, *, options: Mapping[str, float] | None = None, stopped: str = "end", by: str = "") -> None:
    question = Question("complete", prefix, options=GREEDY if options is None else options)
    cache.before(question)
    cache.after(question, Answer(answer, answer, stopped, by=by))


def given(cache: Cache, prefix: str) -> str | None:
    found = cache.before(Question("complete", prefix, options=GREEDY))
    return None if found is None else found.answer.text


def stored(text: str) -> Stored:
    return Stored("e", "p", text, "", "end", 1, None, b"", "")
