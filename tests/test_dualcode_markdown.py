"""Mixed text: what is Python is converted, all else stays byte for byte, and a stream gives what the whole text gives."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dualcode import Converted, MixedText, Note, PythonCode
from dualcode.conversion.fences import LONGEST_FENCE
from simpy_grammar.errors import PythonSyntaxError, SimPySyntaxError
from tests.chat_messages import COUNT, Code, messages
from tests.helpers import ALL, GRAMMATICAL, dump

MESSAGES = messages()
CHUNKINGS = (1, 3, 17)


def places(notes: Iterable[Note]) -> list[tuple[int, bool]]:
    """Where notes stand. What they say may depend on how much of the text had come."""
    return [(note.line, note.partial) for note in notes]


def streamed(mixed: MixedText, text: str, length: int) -> tuple[str, list[tuple[int, bool]]]:
    stream = mixed.reply_stream()
    python = "".join([*(stream.feed(text[at : at + length]) for at in range(0, len(text), length)), stream.close()])
    return python, places(stream.notes)


def contents(message: list[str | Code], text: str) -> list[str]:
    """The text of each block that was converted, after seeing that everything else is where it was, byte for byte."""
    found = []
    at = 0
    for part in message:
        if isinstance(part, str):
            assert text.startswith(part, at), f"not byte for byte: {part!r} in {text[at:]!r}"
            at += len(part)
            continue
        assert text.startswith(part.opening, at)
        at += len(part.opening)
        end = text.index(f"{part.eol}{part.closing}", at - len(part.eol)) + len(part.eol)
        lines = text[at:end].replace(part.eol, "\n").split("\n")
        found.append("\n".join(line.removeprefix(part.indent) for line in lines))
        at = end + len(part.closing)
    assert at == len(text)
    return found


def test_there_are_as_many_as_promised() -> None:
    assert len({"".join(map(str, message)) for message in MESSAGES}) == COUNT == 200


@pytest.mark.parametrize("dialect", ALL)
def test_there_and_back(dialect: str) -> None:
    mixed = MixedText(dialect)
    for message in MESSAGES:
        text = "".join(map(str, message))
        programs = [part.code for part in message if isinstance(part, Code)]
        sent = mixed.to_model(text)
        back = mixed.to_person(sent.text)
        assert sent.parts == len(contents(message, sent.text)) == len(programs)
        assert [dump(python) for python in contents(message, back.text)] == [dump(python) for python in programs]
        assert sent == mixed.to_model(text)
        if not any(dump(simpy) for simpy in contents(message, sent.text)):
            assert mixed.to_model(sent.text).text == sent.text, "converting again changes the text"


@pytest.mark.parametrize("dialect", ALL)
def test_streams_give_the_whole(dialect: str) -> None:
    for bare in (False, True):
        mixed = MixedText(dialect, bare=bare)
        for message in MESSAGES[::3]:
            sent = mixed.to_model("".join(map(str, message))).text
            for text in (sent, sent[: 2 * len(sent) // 3], sent.replace("<block_start>", "<block_start>)", 1)):
                whole = mixed.to_person(text)
                for length in CHUNKINGS:
                    assert streamed(mixed, text, length) == (whole.text, places(whole.notes)), (length, text)


def test_a_message_without_python_is_untouched() -> None:
    for message in MESSAGES:
        text = "".join(part for part in message if isinstance(part, str))
        for dialect in ALL:
            assert MixedText(dialect).to_model(text).text == text
            assert MixedText(dialect).to_person(text).text == text


def test_what_is_not_converted_is_noted() -> None:
    sent = MixedText("classic").to_model("a\n```py\nx = 1\ny = (\n```\n")
    assert [(note.line, note.reason) for note in sent.notes] == [(4, "'(' was never closed")]


def test_errors_are_raised_where_asked() -> None:
    mixed = MixedText("classic", on_error="raise")
    with pytest.raises(PythonSyntaxError) as caught:
        mixed.to_model("a\n```py\nx = 1\ny = (\n```\n")
    assert caught.value.line == 4
    with pytest.raises(SimPySyntaxError):
        mixed.to_person("```py\n<if_stmt>a b c\n```")
    with pytest.raises(ValueError, match="on_error"):
        MixedText("classic", on_error="perhaps")


CUT = "```py\n<def_stmt>f a<block_start><return>a<l>b<block_end>x=(1 2"


@pytest.mark.parametrize("end", ["", "??\nrest\n```\nmore"])
def test_the_valid_beginning_of_broken_simpy_is_python(end: str) -> None:
    converted = MixedText("classic").to_person(CUT + end)
    assert converted.text == "```py\ndef f(a):\n    return a < b\n\n\nx = (1, 2" + (f"\n{end}" if end else "")
    assert [note.partial for note in converted.notes] == [True]


def test_python_of_the_model_stays() -> None:
    text = "```python\nimport os\n\nx = os.getcwd()\n```\n"
    for dialect in GRAMMATICAL:
        assert MixedText(dialect).to_person(text) == Converted(text)


def test_a_block_marked_simpy_becomes_python() -> None:
    assert MixedText("classic").to_person("```simpy\n<if_stmt>a<block_start>b=1<block_end>\n```").text == "```python\nif a:\n    b = 1\n```"
    assert MixedText("classic").to_person("```simpy\nnot simpy at all\n```").text == "```simpy\nnot simpy at all\n```"


def test_bare_code() -> None:
    mixed = MixedText("classic", bare=True)
    assert mixed.to_model("def f(a):\n    return a\n").text == "<def_stmt>f a<block_start><return>a<block_end>"
    for text in ("hello", '{"a": [1, 2]}', "Note: done", "thanks (really)", "[1, 2]", "import duties"):
        assert mixed.to_model(text).text == text
        assert mixed.to_person(text).text == text
    answer = "So:\n<def_stmt>f a<block_start><return>a<block_end>\nThat is all, <in> the end.\n"
    assert mixed.to_person(answer).text == "So:\ndef f(a):\n    return a\nThat is all, <in> the end.\n"


def test_marked_text_is_python_as_a_whole() -> None:
    assert MixedText("classic").to_model(PythonCode("if a:\n    b")).text == "<if_stmt>a<block_start>b<block_end>"
    assert MixedText("classic").to_model(PythonCode("no python (")).text == "no python ("


@pytest.mark.parametrize("length", [LONGEST_FENCE - 1, LONGEST_FENCE, LONGEST_FENCE + 1, 3 * LONGEST_FENCE])
@pytest.mark.parametrize("line", ["{}", "{}py", "- {}", "{} `", "{}\r"])
@pytest.mark.parametrize("char", ["`", "~", " "])
def test_long_lines_are_judged_by_their_beginning_at_every_cut(char: str, line: str, length: int) -> None:
    long = line.format(char * (length - len(line) + 2))
    text = f"```py\n{long}\n<return>a\n```\n- b\n{long}\n<return>a\n{long}\n"
    mixed = MixedText("classic")
    whole = mixed.to_person(text).text
    for size in (64, LONGEST_FENCE, len(text)):
        stream = mixed.reply_stream()
        pieces = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
        assert "".join([*pieces, stream.close()]) == whole


@pytest.mark.parametrize("longer", [0, 1])
def test_a_line_that_is_too_long_opens_no_block(longer: int) -> None:
    fence = "~" * (LONGEST_FENCE - len("py\n") + longer)
    text = f"{fence}py\n<return>a\n{fence}\n"
    assert MixedText("classic").to_person(text).text == (text if longer else f"{fence}py\nreturn a\n{fence}\n")
