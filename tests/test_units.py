"""Units: where an answer holds a whole statement, block, function, class or program, in every dialect and however it is cut."""

from __future__ import annotations

import ast

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Request
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.fenced_code import FencedCode
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.units import UNITS, Unit, UnitEnd
from dualcode.conversion.until import CompletionEnd, ReplyEnd, Until
from simpy_grammar.dialect import BUILT_IN, Dialect
from transpiler import encode

PROGRAM = '''\
@cached
def f(a):
    x = [a, 1]  # two
    if a:
        b()
    elif x:

        def g():
            return "def h(): pass"

    else:
        # own
        pass
    from m import (
        a,
        b,
    )


class C:
    def m(self): ...

    # above
    def n(self):
        return """
x = 1
"""


z = (1,)
async def last(): return 1
'''
DIALECTS = [name for name in BUILT_IN if name != "python"]


def cut_at(end: CompletionEnd | ReplyEnd | UnitEnd, text: str, size: int) -> int | None:
    safe = 0
    for at in range(0, len(text), size):
        end.feed(text[at : at + size])
        assert safe <= end.safe <= at + size, "what was wanted is not wanted any more"
        safe = end.safe
        if end.at is not None:
            return end.at
    return None


def answer(prefix: str, unit: Unit, dialect: str, size: int = 7) -> str | None:
    """What of the rest of the program is kept, as Python."""
    prompt = Prompt(prefix, dialect)
    rest = PROGRAM[len(prefix) :]
    if prompt.converted:
        whole = encode(PROGRAM, dialect=dialect)
        assert whole.startswith(prompt.sent)
        rest = whole[len(prompt.sent) :]
    stream = Until(CompletionStream(prompt), CompletionEnd(unit, prompt))
    text = "".join(stream.feed(rest[at : at + size]) for at in range(0, len(rest), size))
    return text if stream.ended else None


def body(begin: str, end: str) -> str:
    start = PROGRAM.index(begin)
    return PROGRAM[start : PROGRAM.index(end, start) + len(end)]


CASES: list[tuple[str, Unit, str | None]] = [
    ("", "statement", body("@cached", "    )\n")),
    ("", "function", body("@cached", "    )\n")),
    ("", "class", body("@cached", '1\n"""\n')),
    ("@cached\ndef f(a):\n    x = ", "statement", "[a, 1]  # two\n"),
    (body("@cached", "# two\n"), "statement", body("    if a", "pass\n")),
    (body("@cached", "# two\n"), "block", body("    if a", "    )\n")),
    (body("@cached", "def g():\n"), "function", '            return "def h(): pass"\n'),
    (body("@cached", "def g():\n"), "block", '            return "def h(): pass"\n'),
    (body("@cached", "class C:\n"), "function", "    def m(self): ...\n"),
    (body("@cached", "(self): ...\n"), "class", body("    # above", '1\n"""\n')),
    (body("@cached", "class C:\n"), "class", body("    def m", '1\n"""\n')),
    (body("@cached", "z = (1"), "statement", ",)\n"),
]


def same(one: str, other: str) -> bool:
    """Whether two texts are the same program."""
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("prefix", "unit", "expected"), CASES)
def test_an_answer_ends_with_its_unit(prefix: str, unit: Unit, expected: str, dialect: str) -> None:
    found = {answer(prefix, unit, dialect, size) for size in (1, 7, 10_000)}
    assert len(found) == 1, "it depends on how the text is cut"
    text = found.pop()
    assert text is not None and expected is not None
    assert same(prefix + text, prefix + expected)
    assert text.endswith("\n") and text.count("#") == expected.count("#")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_unit_ends_before_its_time(dialect: str) -> None:
    """Neither is the end of a program known before something stands there that is not one."""
    ends_at_once = answer(body("@cached", '1\n"""\n'), "class", dialect)
    assert ends_at_once == (None if dialect == "compact" else ""), "only in SimPy the text says whether the class has ended"
    assert answer("", "program", dialect) is None
    assert answer("", "block", dialect) is None


PROMPT = "def f(a):\n    return "
BROKEN_OFF = {
    "compact": ("a\nf(1)\n```\nThis function returns a.", "a\nf(1)\n"),
    "classic": ("a<block_end>f(1)<block_end>x", "a\n\n\nf(1)\n"),
    "dense": ("a}f(1)}x", "a\n\n\nf(1)\n"),
    "dense-newline": ("a\n\nf(1)\n\n```", "a\n\n\nf(1)\n"),
}


@pytest.mark.parametrize("dialect", BROKEN_OFF)
def test_a_program_ends_where_something_else_begins(dialect: str) -> None:
    text, expected = BROKEN_OFF[dialect]
    for size in (1, 1000):
        prompt = Prompt(PROMPT, dialect)
        stream = Until(CompletionStream(prompt), CompletionEnd("program", prompt))
        assert "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size)) == expected
        assert (stream.ended, stream.notes) == ("until", ())


def test_a_fault_inside_a_statement_is_no_end() -> None:
    prompt = Prompt(PROMPT, "classic")
    stream = Until(CompletionStream(prompt), CompletionEnd("program", prompt))
    assert stream.feed("f(1 <pass>") + stream.close() == "f(1\n<pass>".replace("\n", "") or stream.notes
    assert stream.ended == "" and len(stream.notes) == 1


def test_carriage_returns_are_kept_and_counted() -> None:
    end = UnitEnd("statement", Dialect.load("python"), "x = [\r\n  1,")
    assert end.feed("\r\n  2,\r\n]\r\ny = 3\r\n") == len("\r\n  2,\r\n]")


def test_all_units_have_cases() -> None:
    assert {unit for _, unit, _ in CASES} | {"program"} == set(UNITS)


# -------------------------------------------------------------------------------------------------------------------- chats

CHATS = {
    "classic": "So:\n\n```bash\nls\n```\n\n```python\nx=1<def_stmt>f<block_start><pass><block_end>y=2\n```\nThat is all.",
    "dense": "So:\n\n```bash\nls\n```\n\n```python\nx=1<def_stmt>f<pass>}y=2\n```\nThat is all.",
    "compact": "So:\n\n```bash\nls\n```\n\n```python\nx = 1\ndef f():\n    pass\ny = 2\n```\nThat is all.",
}
BEFORE = "So:\n\n```bash\nls\n```\n\n```python\nx = 1\n"
REPLIES: list[tuple[Unit, str]] = [
    ("statement", BEFORE + "```\n"),
    ("function", BEFORE + "\n\ndef f():\n    pass\n```\n"),
    ("program", BEFORE + "\n\ndef f():\n    pass\n\n\ny = 2\n```\n"),
]


@pytest.mark.parametrize("dialect", CHATS)
@pytest.mark.parametrize(("unit", "expected"), REPLIES)
def test_a_reply_ends_inside_its_block(unit: Unit, expected: str, dialect: str) -> None:
    chosen = Dialect.load(dialect)
    for size in (1, 5, 1000):
        stream = Until(ReplyStream(chosen), ReplyEnd(unit, chosen), ends_line=False)
        reply = CHATS[dialect]
        text = "".join(stream.feed(reply[at : at + size]) for at in range(0, len(reply), size))
        assert (stream.ended, stream.feed("more"), stream.close()) == ("until", "", "")
        if dialect == "compact":  # laid out by the model: it stays
            text = text.replace("\ndef", "\n\n\ndef").replace("\ny", "\n\n\ny")
        assert text == expected


def test_a_block_in_a_list_is_closed_in_its_indentation() -> None:
    chosen = Dialect.load("classic")
    stream = Until(ReplyStream(chosen), ReplyEnd("statement", chosen), ends_line=False)
    assert stream.feed("- a\n  ~~~~py\n  <return>a<line_sep>b") == "- a\n  ~~~~py\n  return a\n  ~~~~\n"


def test_a_reply_may_continue_a_block_of_the_request() -> None:
    chosen = Dialect.load("classic")
    converter = MessageConverter(chosen)
    begun = converter.to_model([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Here:\n```python\n"}]).begun
    stream = Until(converter.reply_stream(begun), ReplyEnd("function", chosen, begun), ends_line=False)
    assert stream.feed("<def_stmt>f<block_start><pass><block_end>x") == "def f():\n    pass\n```\n"


def test_a_reply_without_code_goes_on() -> None:
    stream = Until(ReplyStream("classic"), ReplyEnd("program", Dialect.load("classic")), ends_line=False)
    text = "No code.\n\n```bash\nls\n```\nNone"
    assert stream.feed(text) + stream.close() == text and stream.ended == ""


def test_copies_of_fenced_code_go_on_alone() -> None:
    code = FencedCode()
    code.feed("```py\nx\n")
    other = code.copy()
    assert [piece.text for piece in other.feed("```\n")] == [None]
    assert [piece.text for piece in code.feed("y\n")] == ["\n", "y"]
    assert code.fence is not None and other.fence is None


# ----------------------------------------------------------------------------------------------------------------- DualCode


class Model:
    """A model that writes one text, character by character, and counts characters as tokens."""

    tasks = frozenset((COMPLETE, INFILL, CHAT))

    def __init__(self, text: str) -> None:
        self.text = text
        self.given = 0

    def run(self, request: Request):  # type: ignore[no-untyped-def]
        for at, char in enumerate(self.text):
            if at == request.options.get("max_tokens"):
                request.spent.stopped = "length"
                return
            self.given += 1
            yield char

    async def arun(self, request: Request):  # type: ignore[no-untyped-def]
        for char in self.run(request):
            yield char

    def count(self, text: str) -> int:
        return len(text)


def test_usage_says_what_ended_an_answer() -> None:
    model = Model("1<line_sep>y=2")
    code = DualCode(model, dialect="classic")
    assert code.complete("x = ", until="statement", max_tokens=40).text == "1\n"
    assert model.given < len(model.text)
    assert code.complete("x = ", max_tokens=40, stop=["y"]).text == "1\n"
    code.complete("x = ", max_tokens=5)
    code.complete("x = ", max_tokens=40)
    code.complete("x = ")
    calls = code.usage.calls
    assert [call.stopped for call in calls] == ["until", "stop", "length", "end", "end"]
    assert [call.unspent for call in calls] == [40 - model_given(calls[0]), 40 - calls[1].tokens_out, 0, 26, None]
    assert "; 1 stopped where the code was whole; " in code.usage.summary() and "tokens of max_tokens not spent" in code.usage.summary()


def model_given(usage: object) -> int:
    return usage.tokens_out  # type: ignore[attr-defined, no-any-return]


def test_gaps_and_chats_stop_too() -> None:
    code = DualCode(Model(" b)<line_sep>print(a)<line_sep>"), dialect="classic")
    assert code.infill("x = f(a,", "\ny = 3\n", until="statement").text == " b)"
    code = DualCode(Model(CHATS["classic"]), dialect="classic")
    assert code.chat([{"role": "user", "content": "hi"}], until="function").text == REPLIES[1][1]
    with pytest.raises(ValueError, match="until is one of statement, block, function, class, program, not 'loop'"):
        code.chat([], until="loop")
