"""What engines are tried on: functions of the standard library, mutants that the reader refuses, and llguidance over single bytes."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.reader import StuckError
from simpy_grammar.simpy_lexer import SimPyReader

END = 256  # the id after those of the bytes


def functions(count: int, seed: int = 0) -> list[str]:
    """Functions of the standard library of up to 3,000 characters: three of each of its modules, chosen at random, until there are enough."""
    random = Random(seed)
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    random.shuffle(paths)
    found: list[str] = []
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes
            nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and not node.col_offset]
        own = [f"{part}\n" for node in nodes if 0 < len(part := ast.get_source_segment(text, node) or "") <= 3000]
        found += random.sample(own, min(3, len(own)))
        if len(found) >= count:
            break
    return found[:count]


def reads(text: str, dialect: Dialect) -> bool:
    """Whether a text is a program of the dialect."""
    reader = SimPyReader(dialect)
    try:
        reader.read_all(text)
    except StuckError:
        return False
    return True


def mutants(texts: Sequence[str], dialect: Dialect, random: Random) -> Iterator[str]:
    """Texts that the reader refuses: programs in which one lexeme is missing, stands twice or elsewhere, or is that of another program.

    Without end. Lexemes that are implied have no text to change.
    """
    pieces = [_pieces(text, dialect) for text in texts]
    while True:
        one = list(random.choice(pieces))
        i, j = random.randrange(len(one)), random.randrange(len(one))
        how = random.randrange(4)
        if how == 0:
            del one[i]
        elif how == 1:
            one.insert(i, random.choice(random.choice(pieces)))
        elif how == 2:
            one[i], one[j] = one[j], one[i]
        else:
            one[i] = random.choice(random.choice(pieces))
        text = "".join(one)
        if not reads(text, dialect):
            yield text


def _pieces(text: str, dialect: Dialect) -> list[str]:
    reader = SimPyReader(dialect)
    reader.read_all(text)
    return [lexeme.text for lexeme in reader.stream.lexemes(implied=False)]


def byte_tokenizer() -> Any:
    """A tokenizer of llguidance with one token for each byte."""
    import llguidance

    class Bytes:
        eos_token_id = bos_token_id = END
        special_token_ids = (END,)
        tokens = (*(bytes([i]) for i in range(256)), b"<end>")

        def __call__(self, text: bytes | str) -> list[int]:
            return list(text.encode() if isinstance(text, str) else text)

    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(Bytes()))


class LLGuidance:
    """A grammar in llguidance, with the limits that it has of itself.

    Args:
        grammar: what ``llguidance_grammar`` gives.

    Raises:
        ValueError: it is not one.
    """

    def __init__(self, grammar: str) -> None:
        import llguidance

        self._grammar = grammar
        self._tokenizer = byte_tokenizer()
        self._matcher = llguidance.LLMatcher
        if error := self._matcher.validate_grammar(grammar, self._tokenizer):
            raise ValueError(error)

    def read(self, text: str) -> int:
        """How many bytes of a text it takes."""
        taken: int = self._matcher(self._tokenizer, self._grammar, log_level=0).try_consume_tokens(list(text.encode()))
        return taken

    def accepts(self, text: str) -> bool:
        """Whether the text is one of the grammar."""
        matcher = self._matcher(self._tokenizer, self._grammar, log_level=0)
        data = list(text.encode())
        return matcher.try_consume_tokens(data) == len(data) and matcher.is_accepting()
