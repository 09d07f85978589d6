"""Counting: how many tokens a program has as Python and in each dialect. What they are spent on: ``tokenizer_ext.token_shares``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.stream import Stream
from tokenizer_ext.adapters import OrdinaryTokenizer, adapter_of
from tokenizer_ext.codec import Codec
from tokenizer_ext.estimation import Estimator
from tokenizer_ext.exact import ExactTokenizer, check_probe
from tokenizer_ext.extension import plan
from tokenizer_ext.grammar_tokens import extension_tokens
from tokenizer_ext.learned_tokens import LearnedTokens
from tokenizer_ext.programs import program_stream
from tokenizer_ext.token_shares import Sections, Span, TokenCount, divided, python_sections, simpy_sections
from transpiler.conversion import spelled_lexemes, write_stream
from transpiler.source import read_source

COMPACT = "compact"
LEARNED = "learned"
COUNTED = (PYTHON, COMPACT, "classic", "dense", "dense-newline")  # what is counted unless other dialects are named


class CountedProgram:
    """A Python program, encoded once for each dialect that is asked for.

    Args:
        source: its text; bytes are decoded as PEP 263 says.
        path: the file, for messages.

    Raises:
        PythonSyntaxError: the source is not Python.
    """

    def __init__(self, source: str | bytes, *, path: str | None = None) -> None:
        self.path = path
        self._texts: dict[str, str] = {"": read_source(source, path=path)}
        self._sections: dict[str, Sections] = {}
        self._read: Stream | None = None

    def text(self, dialect: Dialect | None) -> str:
        """The program in a dialect; ``None`` is the Python as it is."""
        key = "" if dialect is None else dialect.digest
        if dialect is not None and key not in self._texts:
            self._texts[key] = write_stream(self._stream, dialect)
        return self._texts[key]

    @property
    def _stream(self) -> Stream:
        """The program, read once for all dialects."""
        if self._read is None:
            self._read = program_stream(self._texts[""], path=self.path)
        return self._read

    def sections(self, dialect: Dialect | None) -> Sections:
        """What each part of that text is."""
        key = "" if dialect is None else dialect.digest
        if key not in self._sections:
            if dialect is None or dialect.is_python:
                self._sections[key] = python_sections(self.text(dialect))
            else:
                lexemes = spelled_lexemes(self._stream, dialect)
                self._texts[key] = "".join([lexeme.text for lexeme in lexemes])
                self._sections[key] = simpy_sections(lexemes)
        return self._sections[key]


class TokenCounter:
    """Counts programs for one tokenizer.

    Args:
        tokenizer: any that ``extend`` takes; ``None`` for the built-in estimate, which needs no vocabulary.
        dialects: names of ``COUNTED``, or dialect files.
        learned: learned tokens; they add the spelling ``learned``, their dialect with them.

    Raises:
        TokenizerError: see ``extend``.
        DialectError: there is no such dialect.

    >>> counter = TokenCounter(None, dialects=("python", "classic"))
    >>> {name: count.tokens for name, count in counter.count("def f(a):\\n    return a\\n").items()}
    {'python': 8, 'classic': 7}
    """

    def __init__(
        self,
        tokenizer: Any = None,
        *,
        dialects: Sequence[str | Path | Dialect] = COUNTED,
        learned: LearnedTokens | None = None,
    ) -> None:
        adapter = None if tokenizer is None else adapter_of(tokenizer)
        ordinary = None if adapter is None else adapter.ordinary(list(extension_tokens(adapter.added)))
        if ordinary is not None:
            check_probe(ExactTokenizer(ordinary))

        def spelling(dialect: Dialect | None, learned: LearnedTokens | None) -> _Spelling:
            if adapter is None or ordinary is None:
                return _Estimated(dialect, learned)
            if dialect is None or dialect.is_python:
                return _Ordinary(dialect, ordinary)
            planned = plan(adapter, dialect, learned)
            return _Encoded(dialect, Codec.for_counting(dialect, (*planned.held, *planned.missing), ordinary))

        self._spellings: dict[str, _Spelling] = {}
        for which in dialects:
            name = which.name if isinstance(which, Dialect) else str(which)
            self._spellings[name] = spelling(None if name == PYTHON else Dialect.load(which), None)
        if learned is not None:
            self._spellings[LEARNED] = spelling(Dialect.load(learned.dialect), learned)

    @property
    def spellings(self) -> tuple[str, ...]:
        """The names of what is counted."""
        return tuple(self._spellings)

    def count(self, program: str | bytes | CountedProgram, *, shares: bool = False) -> dict[str, TokenCount]:
        """The tokens of a Python program in each spelling.

        Args:
            program: its source; a ``CountedProgram`` if several counters count it.
            shares: also say what they are spent on, which takes longer.

        Raises:
            PythonSyntaxError: the source is not Python.
        """
        program = program if isinstance(program, CountedProgram) else CountedProgram(program)
        found: dict[str, TokenCount] = {}
        for name, spelling in self._spellings.items():
            if shares:
                sections = program.sections(spelling.dialect)
                found[name] = divided(spelling.spans(program.text(spelling.dialect)), sections)
            else:
                found[name] = TokenCount(spelling.count(program.text(spelling.dialect)))
        return found

    def count_text(self, text: str, spelling: str) -> int:
        """The tokens of a text that is written in one of the spellings, and may be less or more than a program.

        >>> TokenCounter(None).count_text("41:<def_stmt>f<block_start>", "classic")
        5
        """
        return self._spellings[spelling].count(text)

    def spans(self, text: str, spelling: str) -> list[Span]:
        """The tokens of a text that is written in one of the spellings: where each starts and ends. Estimates are fractions of tokens.

        >>> TokenCounter(None).spans("<return>a", "classic")
        [(0, 8, 1.0), (8, 9, 0.99)]
        """
        return list(self._spellings[spelling].spans(text))


def count_program(source: str | bytes, tokenizer: Any = None, *, dialect: str | Path | Dialect = "classic") -> tuple[int, int]:
    """The tokens of a program as Python and in a dialect.

    Raises:
        PythonSyntaxError: the source is not Python.
        TokenizerError: see ``extend``.

    >>> count_program("for i in range(3):\\n    print(i)\\n")
    (11, 11)
    """
    chosen = Dialect.load(dialect)
    counts = TokenCounter(tokenizer, dialects=(PYTHON, chosen)).count(source)
    return counts[PYTHON].tokens, counts[chosen.name].tokens


# --------------------------------------------------------------------------------------------------------- spellings


class _Spelling:
    """How one spelling is counted."""

    def __init__(self, dialect: Dialect | None) -> None:
        self.dialect = dialect

    def count(self, text: str) -> int:
        raise NotImplementedError

    def spans(self, text: str) -> Iterable[Span]:
        raise NotImplementedError


class _Ordinary(_Spelling):
    """Python by the vocabulary."""

    def __init__(self, dialect: Dialect | None, ordinary: OrdinaryTokenizer) -> None:
        super().__init__(dialect)
        self._ordinary = ordinary

    def count(self, text: str) -> int:
        return len(self._ordinary.encode([text])[0])

    def spans(self, text: str) -> Iterator[Span]:
        return ((start, end, 1.0) for start, end in self._ordinary.spans(text))


class _Encoded(_Spelling):
    """SimPy by the vocabulary, with the tokens of the dialect and learned tokens as one each."""

    def __init__(self, dialect: Dialect, codec: Codec) -> None:
        super().__init__(dialect)
        self._codec = codec

    def count(self, text: str) -> int:
        return self._codec.count(text)

    def spans(self, text: str) -> Iterator[Span]:
        return ((start, end, 1.0) for start, end in self._codec.spans(text))


class _Estimated(_Spelling):
    """By the built-in estimate, the tokens of the dialect and learned tokens as one each."""

    def __init__(self, dialect: Dialect | None, learned: LearnedTokens | None) -> None:
        super().__init__(dialect)
        self._estimator = Estimator(dialect, learned.tokens if learned else ())

    def count(self, text: str) -> int:
        return self._estimator.count(text)

    def spans(self, text: str) -> Iterator[Span]:
        return self._estimator.spans(text)
