"""Converting many programs: for each its text in the dialect, or the reason why there is none. Nothing is raised, nothing is left out.

Where programs come from and go to is decided elsewhere; ``simpy_corpus.cleaning`` has the checks that a program may fail.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from simpy_corpus.reasons import INTERNAL, NO_TEXT, PROOF, SYNTAX, TOO_DEEP, TOO_LONG, TOO_SLOW, UNSUPPORTED
from simpy_corpus.time_limit import TooSlowError, within
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError, UnsupportedSyntaxError
from simpy_grammar.stream import SPACE_ID, Stream
from transpiler.conversion import convert_with_stream, encode_with_stream

_OF_ERROR: tuple[tuple[type[SimPyError], str], ...] = (
    (PythonSyntaxError, SYNTAX),
    (SimPySyntaxError, SYNTAX),
    (UnsupportedSyntaxError, UNSUPPORTED),
    (RoundTripError, PROOF),
)


class Limits(NamedTuple):
    """What a program may cost.

    Attributes:
        characters: the longest program, in characters, or in bytes where it comes as bytes; 0 for any length.
        seconds: the longest time for one program; 0 for any time. On Windows, and in threads, time is not limited.
    """

    characters: int = 1_000_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one program.

    Attributes:
        program: its text in the dialect; ``None`` if it was refused.
        error: the reason why it was refused, one of ``simpy_corpus.reasons.REASONS``; ``None`` if it was not.
        message: what is wrong in one line, without the place; ``None`` if nothing is.
        line: the line where it is wrong, from 1; ``None`` where no place applies.
        characters: length of the program as it came, in characters, or in bytes where it came as bytes.
        lexemes: how many lexemes it has; 0 if it was refused before it was read.
    """

    program: str | None
    error: str | None = None
    message: str | None = None
    line: int | None = None
    characters: int = 0
    lexemes: int = 0


class RefusedError(Exception):
    """A check has refused a program.

    Args:
        reason: one of ``REASONS``.
        message: what is wrong, in one line.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


Check = Callable[[str | bytes, Stream], None]
"""Looks at a program and its lexemes, and raises ``RefusedError``, or does something else with them."""


def convert_batch(
    programs: Iterable[str | bytes | None],
    *,
    dialect: str | Path | Dialect = "classic",
    source: str | Path | Dialect = PYTHON,
    verify: bool | Literal["stream"] = True,
    limits: Limits = Limits(),  # noqa: B008  # it cannot be changed
    checks: Sequence[Check] = (),
) -> list[Converted]:
    """Convert programs; each gets its text, or the reason why it has none. No program makes it raise.

    Args:
        programs: texts, or bytes in the encoding that they declare.
        dialect: the dialect to write.
        source: the dialect that they are written in.
        verify: prove of each that the result is the same program, as ``transpiler.encode`` does.
        limits: what one program may cost.
        checks: called with each program that has been converted.

    Raises:
        DialectError: there is no such dialect, or it is ambiguous.

    >>> for converted in convert_batch(["x = 1", "x = = 1", None]):
    ...     print(converted.program, converted.error, converted.message)
    x=1 None None
    None syntax invalid syntax
    None no-text the row holds no text
    """
    old, new = Dialect.load(source), Dialect.load(dialect)
    return [_convert(program, old, new, verify, limits, checks) for program in programs]


def _convert(
    program: object, source: Dialect, target: Dialect, verify: bool | Literal["stream"], limits: Limits, checks: Sequence[Check]
) -> Converted:
    if not isinstance(program, str | bytes):
        return Converted(None, NO_TEXT, "the row holds no text")
    size = len(program)
    if limits.characters and size > limits.characters:
        return Converted(None, TOO_LONG, f"longer than {limits.characters:,} characters", characters=size)
    read: list[int] = []

    def convert() -> str:
        if source.is_python and source.layout == PYTHON:
            stream, text = encode_with_stream(program, target, verify=verify)
        else:
            stream, text = convert_with_stream(program, source, target, verify=verify)
        read.append(len(stream) - stream.terminals.count(SPACE_ID))
        for check in checks:
            check(program, stream)
        return text

    def refused(reason: str, message: str, line: int | None = None) -> Converted:
        return Converted(None, reason, message.partition("\n")[0], line, size, *read)

    try:
        return Converted(within(limits.seconds, convert), characters=size, lexemes=read[0])
    except TooSlowError:
        return refused(TOO_SLOW, f"not converted in {limits.seconds:g} seconds")
    except RefusedError as error:
        return refused(error.reason, error.message)
    except SimPyError as error:
        reason = next((reason for kind, reason in _OF_ERROR if isinstance(error, kind)), INTERNAL)
        return refused(reason, error.message, error.line)
    except (RecursionError, MemoryError):
        gc.collect()
        return refused(TOO_DEEP, "too large or too deeply nested for this machine")
    except Exception as error:  # a bug of ours must not cost the other programs
        return refused(INTERNAL, f"{type(error).__name__}: {error}")
