"""Error cases: faulty texts and the exact messages that a person reads."""

from __future__ import annotations

import pytest

import transpiler
from simpy_grammar.errors import SimPyError
from tests.golden import Case, errors


@pytest.mark.quick
@pytest.mark.parametrize("case", errors(), ids=lambda case: case.path.stem)
def test_message(case: Case) -> None:
    """A section ``python`` is encoded, a section ``simpy`` (or one named after a dialect) is decoded."""
    name, text = next((name, text) for name, text in case.sections.items() if name not in ("message", "class"))
    with pytest.raises(SimPyError) as caught:
        if name in ("python", "bytes"):
            transpiler.encode(_bytes(text) if name == "bytes" else text, path=f"{case.path.stem}.py")
        else:
            transpiler.decode(text, dialect="classic" if name == "simpy" else name, path=f"{case.path.stem}.simpy")
    assert str(caught.value) == case.sections["message"]
    assert type(caught.value).__name__ == case.sections["class"]
    _check_position(caught.value)


def _bytes(text: str) -> bytes:
    """The bytes that a section spells with escapes, so that the case file itself is text."""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _check_position(error: SimPyError) -> None:
    """An error carries a line from 1 and a column from 1, within the line or just after it."""
    assert error.line is not None
    assert error.line >= 1
    assert 1 <= error.column <= len(error.source_line) + 1
