"""Vocabularies whose tokens never go over the end of a word, so that a text may be encoded in pieces which end there.

A word ends between an ASCII letter and an ASCII character that is neither a letter nor an apostrophe. Most byte-level vocabularies
cut every text there, by a regular expression, before they merge. Only expressions made of known parts are trusted.
"""

from __future__ import annotations

import re
from typing import Any

_NOT_LETTER = r"[^\r\n\p{L}\p{N}]"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_SHORT = ("(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'(?i:[sdmt]|ll|ve|re)")  # contractions
# Those that match letters, which are any letters that follow one another, at least to the end of a word ...
_LETTERS = (
    *(rf"{before}\p{{L}}+" for before in (r" ?", r"\s?", rf"{_NOT_LETTER}?", "")),
    *(rf"{before}\p{{L}}++" for before in (" ?", rf"{_NOT_LETTER}?+")),
    *(rf"{_NOT_LETTER}?{_UPPER}*{_LOWER}+{short}?|{_NOT_LETTER}?{_UPPER}+{_LOWER}*{short}?" for short in _SHORT),
)
# ... and those that match none, or no sign after one.
_OTHERS = (
    *_SHORT,
    *("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'(?:[sdmt]|ll|ve|re)"),
    *(r" ?\p{N}+", r" ?\p{N}++", r"\p{N}{1,3}", r"\p{N}{1,3}+", r"\p{N}", r"\p{N}+"),
    *(r" ?[^\s\p{L}\p{N}]+[\r\n]*", r" ?[^\s\p{L}\p{N}]++[\r\n]*+", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r" ?[^\s\p{L}\p{N}]+"),
    *(r" ?[^\s\p{L}\p{N}]++", r"\s?\p{P}+", r"\s*[\r\n]+", r"\s*[\r\n]", r"\s+(?!\S)", r"\s+", r"\s", r"\s++$", "[\r\n]", r"[\r\n]"),
    "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+",
)
_PARTS = "|".join(map(re.escape, sorted((*_LETTERS, *_OTHERS), key=len, reverse=True)))
_KNOWN = re.compile(rf"(?:{_PARTS})(?:\|(?:{_PARTS}))*")
_WITH_LETTERS = re.compile(rf"(?:(?:{_PARTS})\|)*(?:{'|'.join(map(re.escape, _LETTERS))})(?:\|(?:{_PARTS}))*")
_WORD_END = re.compile(r"[A-Za-z][\x00-&(-@\[-`{-\x7f]")


def is_known(pattern: str, *, letters: bool = True) -> bool:
    """Whether a regular expression that cuts texts cuts at each end of a word, or with ``letters=False`` leaves that to others.

    >>> is_known(r"'s|'t| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"), is_known(r"[a-z(]+|\\s+")
    (True, False)
    """
    return (_WITH_LETTERS if letters else _KNOWN).fullmatch(pattern) is not None


def of_tokenizers(content: dict[str, Any]) -> bool:
    """Whether no token goes over the end of a word, for what ``tokenizers`` saves of a tokenizer.

    >>> byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    >>> tokenizer = {"model": {"type": "BPE"}, "normalizer": None, "pre_tokenizer": byte_level, "added_tokens": []}
    >>> of_tokenizers(tokenizer), of_tokenizers({**tokenizer, "pre_tokenizer": None})
    (True, False)
    """
    model, normalizer, first = content["model"], content["normalizer"], content["pre_tokenizer"]
    if model["type"] != "BPE" or model.get("dropout") or not (normalizer is None or normalizer["type"] == "NFC"):
        return False
    if any(token["single_word"] or _WORD_END.search(token["content"]) for token in content["added_tokens"]):
        return False
    parts = [] if first is None else first["pretokenizers"] if first["type"] == "Sequence" else [first]
    return all(map(_is_local, parts)) and any(map(_cuts, parts))


def _is_local(part: dict[str, Any]) -> bool:
    """Whether a pre-tokenizer does not take what stands on both sides of the end of a word together."""
    if part["type"] == "Split":
        return part["behavior"] == "Isolated" and not part["invert"] and is_known(part["pattern"].get("Regex", ""), letters=False)
    return part["type"] == "Digits" or (part["type"] == "ByteLevel" and not part["add_prefix_space"])


def _cuts(part: dict[str, Any]) -> bool:
    """Whether a pre-tokenizer cuts at each end of a word."""
    return is_known(part["pattern"].get("Regex", "")) if part["type"] == "Split" else bool(part.get("use_regex"))
