"""What was converted is remembered, of any length, in a bound of bytes; what is remembered is what a new conversion would give."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dualcode.conversion.memory import Memory
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Converted, Note
from simpy_grammar.errors import PythonSyntaxError

pytestmark = pytest.mark.quick


class Counting:
    """A conversion that counts how often it is done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, text: str) -> Converted:
        self.done += 1
        return Converted(text.upper(), (Note(1, "because", where="message 1"),) if "?" in text else (), 1)


def test_a_text_of_any_length_is_converted_once() -> None:
    memory, convert = Memory(), Counting()
    for text in ("", "a", "A", "a?", "a" * 1_000_000, "\ud800"):
        first = memory.convert("how", text, convert)
        assert memory.convert("how", text, convert) == first == Counting()(text)
    assert convert.done == 6


def test_the_same_text_converted_in_another_way_is_another() -> None:
    memory = Memory()
    assert memory.convert("a", "bc", lambda text: Converted("1")).text == "1"
    assert memory.convert("ab", "c", lambda text: Converted("2")).text == "2"
    assert memory.convert("a", "bc", lambda text: Converted("3")).text == "1"


@settings(deadline=None)
@given(st.lists(st.text(max_size=20), max_size=30), st.integers(0, 5000))
def test_the_bound_holds_and_changes_nothing(texts: list[str], limit: int) -> None:
    memory = Memory(limit)
    for text in texts:
        assert memory.convert("how", text, Counting()) == Counting()(text)
        assert memory.size <= limit


def test_what_was_not_asked_for_longest_goes_first() -> None:
    convert = Counting()
    probe = Memory()
    probe.convert("how", "a", convert)
    memory = Memory(2 * probe.size)
    for text in ("a", "b", "a", "c"):
        memory.convert("how", text, convert)
    convert.done = 0
    for text, done in (("a", 0), ("c", 0), ("b", 1)):
        memory.convert("how", text, convert)
        assert convert.done == done


def test_a_text_that_does_not_change_takes_no_room() -> None:
    memory = Memory()
    memory.convert("how", "a" * 100_000, Converted)
    assert memory.size < 1000


def test_errors_are_not_remembered() -> None:
    memory = Memory()

    def fail(text: str) -> Converted:
        raise PythonSyntaxError("no")

    for _ in range(2):
        with pytest.raises(PythonSyntaxError):
            memory.convert("how", "a", fail)
    assert len(memory) == 0


def test_threads_may_share_one() -> None:
    memory, convert = Memory(3000), Counting()
    wrong: list[str] = []

    def ask() -> None:
        for number in range(2000):
            text = f"a{number % 17}"
            if memory.convert("how", text, convert).text != text.upper():
                wrong.append(text)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and 0 < memory.size <= 3000


def test_messages_are_remembered_by_what_they_are() -> None:
    """The same text is converted as a message, as the result of a tool, and as Python as a whole; each is remembered apart."""
    converter = MessageConverter("classic", memory=Memory())
    text = "print( 1 )\n"
    expected = {"user": text, "tool": "print(1)"}
    for _ in range(2):
        for role, sent in expected.items():
            found = converter.to_model([{"role": role, "content": text}])
            assert found.messages[0]["content"].rstrip("\n") == sent.rstrip("\n"), role
            assert len(found.shortened) == (role == "tool")
        marked = converter.to_model([{"role": "user", "content": text, "simpy": "python"}])
        assert marked.messages == [{"role": "user", "content": "print(1)"}]


def test_pieces_are_remembered_as_they_were() -> None:
    converter, fresh = MessageConverter("compact", memory=Memory()), MessageConverter("compact", memory=Memory(0))
    file = "import os\n\n\ndef f( a ):\n    return  a\n\n\nprint( f( os ) )\n"
    numbered = "".join(f"{number:6}\t{line}" for number, line in enumerate(file.splitlines(keepends=True), 1))
    for content in (file, numbered, f"Look:\n```py\n{file}```\nand\n```py\nx = f( 1 )\n```\n"):
        message = {"role": "tool", "content": content}
        first, second, anew = converter.to_model([message]), converter.to_model([message]), fresh.to_model([message])
        assert first.shortened == second.shortened == anew.shortened != []
        assert first.messages == second.messages == anew.messages


def test_each_message_has_its_own_place_in_notes_that_are_remembered() -> None:
    converter = MessageConverter("classic")
    broken = {"role": "user", "content": "```py\nx = (\n```\n"}
    assert [note.where for note in converter.to_model([broken, broken]).notes] == ["message 1", "message 2"]
