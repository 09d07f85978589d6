"""Messages as agents write them, in ``agent_messages.txt``: what is Python in them is converted both ways, and every other byte stays.

A message begins with a line ``#### name @role``. Its Python stands between angle quotes, which are not part of it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

import pytest

from dualcode import MixedText
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.tool_calls.enclosures import enclosure_of
from simpy_grammar.dialect import COMPACT
from tests.helpers import ALL
from transpiler import decode
from transpiler.views import strip_numbers

_FILE = Path(__file__).with_name("agent_messages.txt")
_BEFORE_LINES = re.compile(r"^(?:(?:> ?)+| *\d+(?:\t|→| ?\|(?: |$)|:))", re.MULTILINE)  # a gutter, or the marks of quotes


class Sample(NamedTuple):
    """A message in its parts.

    Attributes:
        name: what it is an example of.
        role: of its author.
        others: what is not Python, before, between and after the programs.
        programs: what is Python.
    """

    name: str
    role: str
    others: list[str]
    programs: list[str]

    @property
    def text(self) -> str:
        """The whole message."""
        return self.joined(self.programs)

    def joined(self, programs: list[str]) -> str:
        """The message with other programs."""
        return self.others[0] + "".join(map(str.__add__, programs, self.others[1:]))

    def programs_of(self, text: str) -> list[str] | None:
        """The programs of a converted message; ``None`` if it is not that message in what is not Python."""
        match = re.fullmatch("([\\s\\S]*?)".join(map(re.escape, self.others)), text)
        return None if match is None else list(match.groups())


def read_samples() -> list[Sample]:
    found = []
    for body in re.split(r"^#### ", _FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, text = body.partition("\n")
        name, _, role = head.rpartition(" @")
        parts = re.split("[«»]", text.removesuffix("\n"))
        found.append(Sample(name, role, parts[::2], parts[1::2]))
    return found


SAMPLES = read_samples()
SHORTEST = "import numpy as np\n"  # a part of a cell that has no shorter spelling


def tree(code: str) -> str:
    """The tree of a program or a part of one, without what stands before its lines."""
    enclosure = enclosure_of(strip_numbers(_BEFORE_LINES.sub("", code)))
    assert enclosure is not None and not (enclosure.above or enclosure.below), code
    return ast.dump(ast.parse(enclosure.program))


def decoded(simpy: str, dialect: str) -> str:
    """The Python of a part of a program, in its indentation."""
    body = simpy.lstrip(" ").removesuffix("\n")
    return indent(decode(body, dialect=dialect), " " * (len(simpy) - len(simpy.lstrip(" "))))


def message(sample: Sample) -> dict[str, str]:
    return {"role": sample.role, "content": sample.text}


def test_there_are_many_and_they_differ() -> None:
    assert len(SAMPLES) >= 100
    assert len({sample.name for sample in SAMPLES}) == len({sample.text for sample in SAMPLES}) == len(SAMPLES)
    assert {sample.role for sample in SAMPLES} == {"system", "user", "assistant", "tool"}
    assert sum(bool(sample.programs) for sample in SAMPLES) >= 45


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_python_is_converted_both_ways_and_nothing_else(sample: Sample) -> None:
    for dialect in ALL:
        sent = MessageConverter(dialect).to_model([message(sample)]).messages[0]["content"]
        there = sample.programs_of(sent)
        assert there is not None, f"in {dialect}, what is not Python became\n{sent}"
        back = MixedText(dialect).to_person(sent).text
        again = sample.programs_of(back)
        assert again is not None, f"back from {dialect}, what is not Python became\n{back}"
        for python, shown, given in zip(sample.programs, there, again, strict=True):
            if dialect == COMPACT:
                assert len(shown) < len(python) or python == SHORTEST, f"not converted:\n{python}"
                assert tree(shown) == tree(python)
            if shown == given != python and dialect != COMPACT:  # outside of fences answers are not converted
                given = decoded(shown, dialect)
            assert tree(given) == tree(python), f"in {dialect}:\n{shown}"


def test_a_conversation_that_grows_keeps_its_beginning() -> None:
    messages = [message(sample) for sample in SAMPLES]
    kept = MessageConverter(COMPACT, verify=False)
    whole = MessageConverter(COMPACT, verify=False).to_model(messages).messages
    for end in range(len(messages) + 1):
        assert kept.to_model(messages[:end]).messages == whole[:end]
