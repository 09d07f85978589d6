"""Learned tokens as a file, which ``tokenizer_ext.learning`` writes and ``tokenizer_ext.extension`` reads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simpy_grammar.errors import SimPyError

FORMAT = "simpy-learned-tokens"
VERSION = 1


class LearnedTokensError(SimPyError):
    """A file of learned tokens that cannot be read, or does not hold what it should."""


@dataclass(frozen=True)
class LearnedTokens:
    """Learned tokens, in the order in which they were learned.

    Attributes:
        tokens: their texts, each an n-gram of SimPy lexemes; the first ``n`` are the best budget of ``n``.
        tokenizer: name of the tokenizer they were learned for.
        dialect: name of the dialect whose text they are made of, or a path to its file.
        meta: what learning wants to remember (corpus, budget, savings); plain JSON values.

    >>> learned = LearnedTokens((")<line_sep>", "<block_end><def_stmt>"), "cl100k_base", "classic")
    >>> learned.first(1).tokens
    (')<line_sep>',)
    >>> LearnedTokens.parse(learned.format()) == learned
    True
    """

    tokens: tuple[str, ...]
    tokenizer: str
    dialect: str = "classic"
    meta: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.tokens)

    def first(self, budget: int) -> LearnedTokens:
        """The first ``budget`` tokens, with everything else as it is."""
        return LearnedTokens(self.tokens[:budget], self.tokenizer, self.dialect, self.meta)

    def format(self) -> str:
        """The text of a file that ``parse`` reads back."""
        content = {
            "format": FORMAT,
            "version": VERSION,
            "tokenizer": self.tokenizer,
            "dialect": self.dialect,
            "meta": self.meta,
            "tokens": list(self.tokens),
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str, *, path: str | None = None) -> LearnedTokens:
        """Read the text of a file of learned tokens.

        Raises:
            LearnedTokensError: the text is not such a file.
        """
        hint = "write such a file with simpy learn"
        try:
            content = json.loads(text)
        except ValueError as error:
            raise LearnedTokensError("not a file of learned tokens: it is not JSON", path=path, hint=hint) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise LearnedTokensError(f'not a file of learned tokens: no "format": "{FORMAT}"', path=path, hint=hint)
        if content.get("version") != VERSION:
            raise LearnedTokensError(f"learned tokens of version {content.get('version')!r}, expected {VERSION}", path=path, hint=hint)
        tokens = content.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, str) and token for token in tokens):
            raise LearnedTokensError('"tokens" is not a list of texts', path=path, hint=hint)
        if len(set(tokens)) != len(tokens):
            raise LearnedTokensError("a learned token is listed twice", path=path, hint=hint)
        meta = content.get("meta", {})
        if not isinstance(meta, dict):
            raise LearnedTokensError('"meta" is not an object', path=path, hint=hint)
        return cls(tuple(tokens), str(content.get("tokenizer", "")), str(content.get("dialect", "classic")), meta)

    def save(self, path: str | Path) -> None:
        """Write the file."""
        Path(path).write_text(self.format(), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> LearnedTokens:
        """Read the file.

        Raises:
            LearnedTokensError: the file cannot be read or is not one of learned tokens.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise LearnedTokensError(f"cannot read: {reason}", path=str(path)) from error
        return cls.parse(text, path=str(path))
