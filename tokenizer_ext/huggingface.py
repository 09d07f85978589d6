"""The kinds of tokenizer of Hugging Face: ``tokenizers`` and the fast tokenizers of ``transformers``. What a kind is says
``tokenizer_ext.kinds``."""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from tokenizer_ext.kinds import Kind, Plain

_BLANK = "\N{LOWER ONE EIGHTH BLOCK}"  # SentencePiece writes a space like this


class HuggingFace(Kind):
    """``tokenizers.Tokenizer``."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @property
    def added(self) -> dict[str, int]:
        # Where a vocabulary has holes the library gives an added token the id of an ordinary one, which then is what it means.
        ordinary = self.tokenizer.model.id_to_token
        decoder = self.tokenizer.get_added_tokens_decoder()
        return {token.content: number for number, token in decoder.items() if ordinary(number) in (None, token.content)}

    def id_of(self, text: str) -> int | None:
        found: int | None = self.tokenizer.token_to_id(text)
        return found

    def copy(self) -> Any:
        return copy.deepcopy(self.tokenizer)

    def extended(self, tokens: Sequence[str]) -> Any:
        new = self.copy()
        new.add_tokens(added_tokens(tokens))
        repair_decoder(new, tokens)
        return new

    def plain(self, own: Sequence[str]) -> Plain:
        return HuggingFacePlain(self.tokenizer, own)


def added_tokens(tokens: Sequence[str]) -> list[Any]:
    """Tokens as Hugging Face adds them so that each is found wherever it stands.

    Not normalized: a SentencePiece tokenizer would look for them with its blank in front and miss most. Not "special": what is
    special is dropped by ``decode`` as libraries call it, and a program without its grammar tokens is none.
    """
    from tokenizers import AddedToken

    return [AddedToken(token, normalized=False, special=False) for token in tokens]


def repair_decoder(tokenizer: Any, tokens: Sequence[str]) -> None:
    """Make plain ``decode`` take away the blank that the tokenizer puts before text after an added token (SentencePiece)."""
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


class HuggingFacePlain(Plain):
    """The tokenizer with nothing but its model: no special tokens, no template, no normal forms of Unicode."""

    def __init__(self, tokenizer: Any, own: Sequence[str]) -> None:
        from tokenizers import Tokenizer

        content = json.loads(tokenizer.to_str())
        dropped = set(own)
        kept = []
        model = content["model"]
        for token in content["added_tokens"]:
            text = token["content"]
            control = token["special"] or (text.startswith("<") and text.endswith(">"))  # some vocabularies mark only a few as special
            if control or text in dropped or tokenizer.decode([token["id"]]) != text:
                dropped.add(text)
                # It keeps its place under a name that no text has, or those after it would get other ids.
                if tokenizer.model.id_to_token(token["id"]) is None:
                    kept.append({**token, "content": f"\N{NULL}{token['id']}", "normalized": False})
            else:
                kept.append(token)
        while kept and kept[-1]["content"].startswith("\N{NULL}"):
            kept.pop()
        content.update(added_tokens=kept, post_processor=None, truncation=None, padding=None)
        if model["type"] == "Unigram":
            # Its pieces are found in any text, those of control tokens too: give these names that no text has.
            unknown = model.get("unk_id")
            model["vocab"] = [
                [f"\N{NULL}{i}" if piece in dropped or i == unknown else piece, score] for i, (piece, score) in enumerate(model["vocab"])
            ]
            self.unknown = None if model.get("byte_fallback") else unknown
        elif model.get("unk_token") is not None and not model.get("byte_fallback"):
            self.unknown = tokenizer.token_to_id(model["unk_token"])
        content["normalizer"] = _kept_normalizer(content["normalizer"])
        content["pre_tokenizer"] = _never_prepend(content["pre_tokenizer"])
        content["decoder"] = _never_prepend(_first_decoders(content["decoder"]))
        if "Prepend" not in json.dumps(content["normalizer"]):
            content["decoder"] = _never_strip(content["decoder"])
        self._tokenizer = Tokenizer.from_str(json.dumps(content))
        self._encode = getattr(self._tokenizer, "encode_batch_fast", self._tokenizer.encode_batch)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._encode(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False)
        return text

    def spans(self, text: str) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return spans


def _kept_normalizer(normalizer: dict[str, Any] | None) -> dict[str, Any] | None:
    """What must stay of a normalizer: how SentencePiece writes blanks. The rest changes text."""
    if normalizer is None:
        return None
    if normalizer["type"] == "Sequence":
        kept = [part for part in map(_kept_normalizer, normalizer["normalizers"]) if part is not None]
        return {"type": "Sequence", "normalizers": kept} if kept else None
    blank = normalizer["type"] == "Replace" and normalizer.get("content") == _BLANK and normalizer["pattern"] == {"String": " "}
    return normalizer if blank or normalizer["type"] == "Prepend" else None


def _never_prepend(part: Any) -> Any:
    """No blank before a text: these parts add one only where none stands, so that it cannot be told from one that was there."""
    if isinstance(part, list):
        return [_never_prepend(item) for item in part]
    if not isinstance(part, dict):
        return part
    changed = {key: _never_prepend(value) for key, value in part.items()}
    if part.get("type") == "Metaspace":
        changed["prepend_scheme"] = "never"
        changed.pop("add_prefix_space", None)
    elif part.get("type") == "ByteLevel":
        changed["add_prefix_space"] = False
    return changed


def _never_strip(decoder: Any) -> Any:
    """A decoder that takes no blank away where none has been put."""
    if decoder is not None and decoder["type"] == "Sequence":
        return {**decoder, "decoders": [_never_strip(part) for part in decoder["decoders"] if part["type"] != "Strip"]}
    return decoder


def _first_decoders(decoder: dict[str, Any] | None) -> dict[str, Any] | None:
    """A decoder without what ``repair_decoder`` has put after it."""
    if decoder is not None and decoder["type"] == "Sequence":
        parts = decoder["decoders"]
        if len(parts) == 3 and parts[1]["type"] == "Fuse" and "Regex" in parts[2].get("pattern", ()):
            return _first_decoders(parts[0])
    return decoder


class Transformers(HuggingFace):
    """A fast tokenizer of ``transformers``: one of ``tokenizers`` with names for its special tokens."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer.backend_tokenizer)
        self.outer = tokenizer

    def copy(self) -> Any:
        return copy.deepcopy(self.outer)

    def extended(self, tokens: Sequence[str]) -> Any:
        new = self.copy()
        new.add_tokens(added_tokens(tokens))
        repair_decoder(new.backend_tokenizer, tokens)
        return new
