"""The reply stream: what is given when, and that every cut of a reply gives the same text and the same notes."""

from __future__ import annotations

import pytest

from dualcode.conversion.markdown import MixedText
from dualcode.conversion.reply_stream import ReplyStream
from simpy_grammar.errors import SimPySyntaxError

BLOCK = "```py\n<if_stmt>a<l>b<block_start>c=1<block_end>\n```\n"

# name -> reply, what the person reads, notes as (line, partial)
REPLIES: dict[str, tuple[str, str, list[tuple[int, bool]]]] = {
    "prose": ("No code.\n\n`x = 1` is *fine*.", "No code.\n\n`x = 1` is *fine*.", []),
    "a block": (f"So:\n{BLOCK}Done.", "So:\n```py\nif a < b:\n    c = 1\n```\nDone.", []),
    "a block in a list": ("- so:\n  ```py\n  <return>a<l>b\n  ```\n", "- so:\n  ```py\n  return a < b\n  ```\n", []),
    "a block of another language": ("```js\n<return>a\n```\n", "```js\n<return>a\n```\n", []),
    "a block marked simpy": ("```simpy\n<return>a\n```\n", "```python\nreturn a\n```\n", []),
    "a block marked simpy that is not": ("```simpy\nwords, only?\n```\n", "```simpy\nwords, only?\n```\n", [(2, False)]),
    "line breaks of Windows": (BLOCK.replace("\n", "\r\n"), "```py\r\nif a < b:\r\n    c = 1\r\n```\r\n", []),
    "a block that breaks off": ("x\n```py\n<return>a<l>b", "x\n```py\nreturn a < b\n", []),
    "a block with a fault": ("x\n```py\n<return>a<l>b\n??\n```\n", "x\n```py\nreturn a < b\n??\n```\n", [(3, True)]),
    "a fence that is not one": ("``` is not a fence ```\n", "``` is not a fence ```\n", []),
    "a fence within code": ("````py\nx='''\n```\n'''<line_sep>y<l>z\n````\n", "````py\nx = '''\n```\n'''\ny < z\n````\n", []),
    "half a fence": ("So:\n``", "So:\n``", []),
    "nothing": ("", "", []),
}


def read(text: str, cuts: tuple[int, ...], *, bare: bool = False) -> tuple[str, list[tuple[int, bool]]]:
    stream = ReplyStream("classic", bare=bare)
    bounds = (0, *cuts, len(text))
    pieces = [stream.feed(text[start:end]) for start, end in zip(bounds, bounds[1:], strict=False)]
    return "".join([*pieces, stream.close()]), [(note.line, note.partial) for note in stream.notes]


@pytest.mark.parametrize("name", REPLIES)
def test_every_cut_gives_the_same(name: str) -> None:
    reply, python, notes = REPLIES[name]
    assert read(reply, ()) == (python, notes)
    assert read(reply, tuple(range(1, len(reply)))) == (python, notes)
    for at in range(1, len(reply)):
        assert read(reply, (at,)) == (python, notes), reply[:at]


BARE = {
    "at the start": ("<return>a<l>b<line_sep>c", "return a < b\nc\n"),
    "at a line": ("So:\n<return>a<l>b\nThat is all.", "So:\nreturn a < b\nThat is all."),
    "not in the middle of a line": ("The token <return> is one.\n", "The token <return> is one.\n"),
}


@pytest.mark.parametrize("name", BARE)
def test_bare_simpy_is_converted_where_asked_for(name: str) -> None:
    reply, python = BARE[name]
    for at in range(len(reply)):
        assert read(reply, (at,), bare=True)[0] == python
    assert read(reply, ())[0] == reply


def test_python_is_given_as_soon_as_it_is_settled() -> None:
    stream = ReplyStream("classic")
    pieces = ["So:\n``", "`py\n", "<if_stmt>a<l>b", "<block_start>c", "=1", "<block_end>\n", "```\n", "Done."]
    given = [stream.feed(piece) for piece in pieces]
    assert given[:2] == ["So:\n", "```py\n"] and given[-1] == "Done."
    assert "".join(given[2:5]).startswith("if a < b:"), "Python waits for the end of its block"
    assert "".join(given) == "So:\n```py\nif a < b:\n    c = 1\n```\nDone."
    assert (stream.close(), stream.parts, stream.ended) == ("", 1, "")


def test_compact_is_given_when_its_block_ends() -> None:
    stream = ReplyStream("compact")
    assert stream.feed("```py\ndef f(a):return a<1\n") == "```py\n"
    assert stream.feed("```\n") == "def f(a):\n    return a < 1\n```\n"


def test_a_fault_is_raised_where_asked_for() -> None:
    stream = ReplyStream("classic", on_error="raise")
    with pytest.raises(SimPySyntaxError):
        stream.feed("```py\n<return>a<l>b??\n```\n")


@pytest.mark.parametrize("name", REPLIES)
def test_mixed_text_reads_replies_in_the_same_way(name: str) -> None:
    reply, python, _ = REPLIES[name]
    assert MixedText("classic").to_person(reply).text == python
