"""How SentencePiece writes blanks, and what follows for a ``tokenizer.json`` that was made of one of its models.

A blank is written as U+2581; so U+2581 in a text becomes a blank. Some models begin every text with a blank that is not
there (the dummy blank) and take it away again when they decode. With added tokens between texts the library adds more
of these than it takes away. Nothing here is specific to this project: the functions read and change the parts of a
``tokenizer.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MARK = "\N{LOWER ONE EIGHTH BLOCK}"  # how SentencePiece writes a blank

Part = dict[str, Any]
"""A normalizer, pre-tokenizer or decoder of a ``tokenizer.json``."""


def is_blank(text: str) -> bool:
    """Whether a token consists of blanks, however they are written.

    >>> is_blank(MARK * 2), is_blank("  "), is_blank(f"{MARK}a"), is_blank("")
    (True, True, False, False)
    """
    return bool(text) and set(text) <= {" ", MARK}


def repair_decoder(tokenizer: Any, tokens: Sequence[str]) -> None:
    """Make plain ``decode`` take away the blank that the tokenizer puts before text after an added token."""
    from tokenizers import Regex, decoders

    spaced = [token for token in tokens if _decoded(tokenizer, f"{token}ab") == f"{token} ab"]
    if spaced:
        behind = "|".join(sorted(map(_escaped, spaced)))
        after = decoders.Replace(Regex(f"(?<={behind}) "), "")
        tokenizer.decoder = decoders.Sequence([tokenizer.decoder, decoders.Fuse(), after])


def _decoded(tokenizer: Any, text: str) -> str:
    found: str = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids, skip_special_tokens=False)
    return found


def _escaped(text: str) -> str:
    return "".join(f"\\x{ord(char):02X}" if not char.isalnum() else char for char in text)


def unrepaired(decoder: Part | None) -> Part | None:
    """A decoder without what ``repair_decoder`` has put after it."""
    if decoder is not None and decoder["type"] == "Sequence":
        parts = decoder["decoders"]
        if len(parts) == 3 and parts[1]["type"] == "Fuse" and "Regex" in parts[2].get("pattern", ()):
            return unrepaired(parts[0])
    return decoder


def blank_normalizer(normalizer: Part | None) -> Part | None:
    """What of a normalizer writes blanks, without the dummy blank. The rest changes text, and is left out.

    >>> replace, prepend = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}, {"type": "Prepend", "prepend": MARK}
    >>> blank_normalizer({"type": "Sequence", "normalizers": [prepend, {"type": "NFC"}, replace]}) == {
    ...     "type": "Sequence", "normalizers": [replace]
    ... }
    True
    """
    if normalizer is None:
        return None
    if normalizer["type"] == "Sequence":
        kept = [part for part in map(blank_normalizer, normalizer["normalizers"]) if part is not None]
        return {"type": "Sequence", "normalizers": kept} if kept else None
    blank = normalizer["type"] == "Replace" and normalizer.get("content") == MARK and normalizer["pattern"] == {"String": " "}
    return normalizer if blank else None


def has_dummy(normalizer: Part | None) -> bool:
    """Whether a normalizer begins every text with a dummy blank."""
    return normalizer is not None and (normalizer["type"] == "Prepend" or any(map(has_dummy, normalizer.get("normalizers", ()))))


def without_dummy(part: Any) -> Any:
    """A pre-tokenizer or decoder that puts no blank before a text.

    These parts add a blank only where there is none, so that nobody can say later whether it was there.
    """
    if isinstance(part, list):
        return [without_dummy(item) for item in part]
    if not isinstance(part, dict):
        return part
    changed = {key: without_dummy(value) for key, value in part.items()}
    if part.get("type") == "Metaspace":
        changed["prepend_scheme"] = "never"
        changed.pop("add_prefix_space", None)
    elif part.get("type") == "ByteLevel":
        changed["add_prefix_space"] = False
    return changed


def without_strip(decoder: Part | None) -> Part | None:
    """A decoder that takes no blank away, for where none has been put."""
    if decoder is not None and decoder["type"] == "Sequence":
        return {**decoder, "decoders": [without_strip(part) for part in decoder["decoders"] if part["type"] != "Strip"]}
    return decoder
