"""What engines are tried on: functions of the standard library, mutants that the reader refuses, and llguidance over single bytes."""

from __future__ import annotations

import ast
import sysconfig
import time
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
    """Functions of the standard library of up to 3,000 characters: three of each module, in a random order of modules."""
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
    return _tokenizer([*(bytes([i]) for i in range(256)), b"<end>"], end=END, special=[END])


def vocabulary_tokenizer(tokenizer: Any, end: int) -> Any:
    """A tokenizer of llguidance with the tokens of a byte-level ``tokenizers.Tokenizer``; added ones stand for their text."""
    byte_of = {char: byte for byte, char in enumerate(_byte_characters())}
    added = tokenizer.get_added_tokens_decoder()
    texts = [tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size())]
    tokens = [text.encode() if i in added else bytes(byte_of[char] for char in text) for i, text in enumerate(texts)]
    return _tokenizer(tokens, end=end, special=[i for i, token in added.items() if token.special])


def _byte_characters() -> list[str]:
    """What stands for each byte in a vocabulary of GPT-2's kind."""
    shown = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in shown else next(others)) for byte in range(256)]


def _tokenizer(tokens: list[bytes], *, end: int, special: list[int]) -> Any:
    import llguidance

    class Vocabulary:
        eos_token_id = bos_token_id = end
        special_token_ids = special

        def __init__(self) -> None:
            self.tokens = tokens

        def __call__(self, text: bytes | str) -> list[int]:
            return []  # only forced tokens are tokenized, and the grammar asks for none

    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(Vocabulary()))


class LLGuidance:
    """A grammar in llguidance, with the limits that it has of itself.

    Args:
        grammar: what ``llguidance_grammar`` gives.
        tokenizer: a tokenizer of llguidance; by default one of single bytes.

    Raises:
        ValueError: it is not a grammar.
    """

    def __init__(self, grammar: str, tokenizer: Any = None) -> None:
        import llguidance

        self._start = llguidance.LLMatcher(tokenizer or byte_tokenizer(), grammar, log_level=0)
        if self._start.is_error():
            raise ValueError(self._start.get_error())

    def accepts(self, text: str) -> bool:
        """Whether the text is one of the grammar, byte by byte."""
        matcher = self._start.deep_copy()
        data = list(text.encode())
        return bool(matcher.try_consume_tokens(data) == len(data) and matcher.is_accepting())

    def masks(self, ids: Sequence[int]) -> tuple[list[float], list[int]]:
        """The seconds of processor time that each mask of a text takes, and the positions of tokens that are not in theirs.

        Raises:
            ValueError: llguidance gives up, or does not take the end.
        """
        matcher = self._start.deep_copy()
        seconds: list[float] = []
        refused: list[int] = []
        for position, token in enumerate(ids):
            start = time.thread_time_ns()
            mask = matcher.compute_bitmask()
            seconds.append((time.thread_time_ns() - start) / 1e9)
            if not mask[token >> 3] >> (token & 7) & 1:
                refused.append(position)
            matcher.consume_token(token)
        if matcher.is_error() or not matcher.is_accepting():
            raise ValueError(matcher.get_error() or "the end is refused")
        return seconds, refused
