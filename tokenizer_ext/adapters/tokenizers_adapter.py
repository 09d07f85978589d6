"""The adapter for ``tokenizers``, the library of Hugging Face. What is special to SentencePiece's models is in ``sentencepiece``."""

# ruff: noqa: D102  # the base classes say what each method does
from __future__ import annotations

import copy
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from tokenizer_ext.adapters import model_ids, sentencepiece, word_ends
from tokenizer_ext.adapters.protocol import Adapter, OrdinaryTokenizer
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.reuse_mark import is_mark

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_HIDDEN = "\N{NULL}"  # begins the name of a token that text must not become; no program holds it


class TokenizersAdapter(Adapter):
    """``tokenizers.Tokenizer``."""

    @staticmethod
    def accepts(tokenizer: Any) -> bool:
        library = sys.modules.get("tokenizers")
        return library is not None and isinstance(tokenizer, library.Tokenizer)

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
        sentencepiece.repair_decoder(new, tokens)
        return new

    @property
    def size(self) -> int:
        ordinary: int = self.tokenizer.get_vocab_size(with_added_tokens=False)
        return max([ordinary, *(number + 1 for number in self.fixed)])

    def parts(self) -> dict[int, list[tuple[int, ...]]]:
        return model_ids.parts_of(json.loads(self.tokenizer.to_str())["model"])

    @property
    def fixed(self) -> frozenset[int]:
        return frozenset(self.tokenizer.get_added_tokens_decoder())

    def reusing(self, tokens: Mapping[int, str]) -> Any:
        new = renamed(self.tokenizer, tokens)
        new.add_tokens(added_tokens(list(tokens.values())))
        sentencepiece.repair_decoder(new, list(tokens.values()))
        return new

    def ordinary(self, extension: Sequence[str]) -> OrdinaryTokenizer:
        return TokenizersOrdinary(self.tokenizer, frozenset(extension))


def renamed(tokenizer: Any, texts: Mapping[int, str]) -> Any:
    """A copy of a tokenizer whose model has other texts for some ids: tokens of these texts that are added get these ids."""
    content = json.loads(tokenizer.to_str())
    model_ids.rename(content["model"], texts)
    new = _from_text(json.dumps(content))
    new.encode_special_tokens = tokenizer.encode_special_tokens
    return new


def added_tokens(tokens: Sequence[str]) -> list[Any]:
    """Tokens as Hugging Face adds them so that each is found wherever it stands.

    Not normalized: a SentencePiece tokenizer would look for them with its blank in front and miss most. Not "special":
    what is special is dropped by ``decode`` as libraries call it, and a program without its grammar tokens is not one.
    The mark of reused ids stands in no program.
    """
    from tokenizers import AddedToken

    return [AddedToken(token, normalized=False, special=is_mark(token)) for token in tokens]


def decodes_one_by_one(decoder: dict[str, Any] | None) -> bool:
    """Whether the text of several ids is the texts of each, joined, where no character is spread over ids.

    Joining known texts is several times faster than the library's decoder.

    >>> replace = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    >>> decodes_one_by_one({"type": "Sequence", "decoders": [replace, {"type": "ByteFallback"}, {"type": "Fuse"}]})
    True
    >>> decodes_one_by_one({"type": "Sequence", "decoders": [{"type": "Fuse"}, replace]}), decodes_one_by_one({"type": "WordPiece"})
    (False, False)
    """
    parts = [] if decoder is None else decoder["decoders"] if decoder["type"] == "Sequence" else [decoder]
    sorts = [part["type"] for part in parts]
    before = sorts[: sorts.index("Fuse")] if "Fuse" in sorts else sorts
    # After the texts have been joined only the dummy blank may be taken away.
    strips = [part for part in parts[len(before) + 1 :] if part != {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    return bool(parts) and not strips and set(before) <= {"ByteLevel", "Replace", "ByteFallback", "Metaspace"}


class TokenizersOrdinary(OrdinaryTokenizer):
    """The tokenizer with nothing but its model and what stands for text: no control tokens, no template, no normal forms."""

    def __init__(self, tokenizer: Any, extension: Collection[str]) -> None:
        content, model = _parted(tokenizer.to_str())
        content["added_tokens"], hidden = _text_tokens(tokenizer, content["added_tokens"], extension)
        content.update(post_processor=None, truncation=None, padding=None)
        model, unknown = _plain_model(tokenizer, model, hidden, extension)
        if unknown is not None:
            hidden.setdefault(unknown, tokenizer.id_to_token(unknown))
        self.control = {number: text for number, text in hidden.items() if text not in extension}
        self._byte = tokenizer.token_to_id
        # The dummy blank is part of the text here: the library would put one after each added token too, and keep it.
        self.dummy = " " if sentencepiece.has_dummy(content["normalizer"]) else ""
        content["normalizer"] = sentencepiece.blank_normalizer(content["normalizer"])
        content["pre_tokenizer"] = sentencepiece.without_dummy(content["pre_tokenizer"])
        content["decoder"] = sentencepiece.without_dummy(sentencepiece.unrepaired(content["decoder"]))
        if not self.dummy:
            content["decoder"] = sentencepiece.without_strip(content["decoder"])
        kept = tokenizer.model
        self.ends_at_words = word_ends.of_tokenizers(
            {**content, "model": {"type": type(kept).__name__, "dropout": getattr(kept, "dropout", None)}}
        )
        self._content, self._model = content, model
        self._joins = decodes_one_by_one(content["decoder"])
        self._alphabet = _byte_alphabet() if "ByteLevel" in json.dumps(content["decoder"]) else {}

    @cached_property
    def _plain(self) -> _Plain:
        """Made when it is needed, which takes long."""
        return _Plain.of(f'{json.dumps(self._content)[:-1]}, "model": {self._model}}}')

    @property
    def _tokenizer(self) -> Any:
        return self._plain.tokenizer

    @property
    def _texts(self) -> dict[int, str | None]:
        return self._plain.texts

    def encode(self, texts: Sequence[str], *, continued: bool = False) -> list[list[int]]:
        encode = getattr(self._tokenizer, "encode_batch_fast", self._tokenizer.encode_batch)
        dummy = "" if continued else self.dummy
        given = [text and dummy + text for text in texts] if dummy else list(texts)
        return [encoding.ids for encoding in encode(given, add_special_tokens=False)]

    def decode(self, texts: Sequence[Sequence[int]]) -> list[str]:
        if not self._joins:
            return self._decode(texts)
        known = self._texts
        new = set().union(*texts).difference(known)
        if new:
            self._load(sorted(new))
        found: list[str] = []
        for ids in texts:
            pieces = [known[number] for number in ids]
            if None in pieces:
                found += self._decode([ids])
            else:
                text = "".join(pieces)  # type: ignore[arg-type]  # no None in it
                found.append(text.removeprefix(self.dummy))
        return found

    def _load(self, ids: Sequence[int]) -> None:
        """Ask the library for the texts of ids."""
        before = self.encode(["x"], continued=True)[0]
        for number, text in zip(ids, self._decode([[*before, number] for number in ids]), strict=True):
            self._texts[number] = None if _BROKEN in text else text[1:]

    def _decode(self, texts: Sequence[Sequence[int]]) -> list[str]:
        found: list[str] = self._tokenizer.decode_batch(list(texts), skip_special_tokens=False)
        return found

    def spans(self, text: str, *, continued: bool = False) -> list[tuple[int, int]]:
        dummy = "" if continued else self.dummy
        spans: list[tuple[int, int]] = self._tokenizer.encode(text and dummy + text, add_special_tokens=False).offsets
        return [(max(start - 1, 0), max(end - 1, 0)) for start, end in spans] if dummy else spans

    def byte_ids(self, data: bytes) -> list[int] | None:
        ids = [self._byte(f"<0x{byte:02X}>") for byte in data]
        return None if None in ids else ids

    def pieces(self) -> dict[int, bytes]:
        if not self._joins:
            raise TokenizerError("the text of an id depends on the ids around it, so that no id can be judged alone")
        by_names = self._pieces_by_names()
        if by_names is not None:
            return by_names
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        names = {number: name for name, number in vocabulary.items() if number not in self.control and not name.startswith(_HIDDEN)}
        self._load([number for number in names if number not in self._texts])
        found: dict[int, bytes] = {}
        for number, name in names.items():
            text = self._texts[number]
            found[number] = self._bytes_of(name) if text is None else text.encode("utf-8", "surrogatepass")
        return found

    def _pieces_by_names(self) -> dict[int, bytes] | None:
        """The pieces, if the names in the model spell their bytes; to ask the library takes several times as long."""
        names, is_whole, _ = self._model.partition(',"vocab":{')[2].partition('},"merges":[')
        if not self._model.startswith('{"type":"BPE",') or not is_whole or self._content["decoder"]["type"] != "ByteLevel":
            return None
        number_of: dict[str, int] = json.loads(f"{{{names}}}")
        added = {token["content"]: token["id"] for token in self._content["added_tokens"]}
        free = itertools.count(len(number_of))
        if any(number != (number_of[text] if text in number_of else next(free)) for text, number in added.items()):
            return None  # the library gives some of them other ids
        number_of |= {text: number for text, number in added.items() if not text.startswith(_HIDDEN)}
        found = dict(zip(number_of.values(), _spelled_bytes(number_of, self._alphabet), strict=True))
        for number in self.control.keys() & found.keys():
            del found[number]
        return found

    def _bytes_of(self, name: str) -> bytes:
        """The bytes of a piece that is a part of a character."""
        single = re.fullmatch("<0x([0-9A-F]{2})>", name)
        if single:
            return bytes.fromhex(single[1])
        return bytes(self._alphabet[char] for char in name) if set(name) <= self._alphabet.keys() else name.encode()


class _Plain:
    """A tokenizer of the library that nobody changes, shared by all whose ``tokenizer.json`` says the same: to make one takes long.

    A tokenizer that is extended and its extension have one and the same, unless ids are reused. The last one is kept: who
    extends a tokenizer mostly makes a codec next.

    Attributes:
        tokenizer: the tokenizer.
        texts: id -> its text after other text; ``None`` for a part of a character. Those that have been asked for.
    """

    _known: ClassVar[WeakValueDictionary[bytes, _Plain]] = WeakValueDictionary()
    _last: ClassVar[_Plain | None] = None

    def __init__(self, content: str) -> None:
        self.tokenizer = _from_text(content)
        self.texts: dict[int, str | None] = {}

    @classmethod
    def of(cls, content: str) -> _Plain:
        """The one that a ``tokenizer.json`` describes."""
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
        found = cls._known.get(digest)
        if found is None:
            found = cls._known[digest] = cls(content)
        cls._last = found
        return found


def _parted(text: str) -> tuple[dict[str, Any], str]:
    """A ``tokenizer.json`` without its model, and the text of the model, which is long and mostly stays as it is."""
    head, found, model = text.partition(',"model":{')  # in a string the quotes would be escaped
    if found:
        return json.loads(f"{head}}}"), f"{{{model[:-1]}"
    content = json.loads(text)
    return content, json.dumps(content.pop("model"))


def _plain_model(tokenizer: Any, text: str, hidden: Mapping[int, str], extension: Collection[str]) -> tuple[str, int | None]:
    """The model without the tokens that text must not become, and its id for what it does not know."""
    head, _, _ = text.partition(',"vocab":')
    model = json.loads(f"{head}}}" if head.startswith('{"type":"BPE",') and ',"unk_token":' in head else text)
    if model["type"] == "Unigram":
        _hide_pieces(model, {*hidden.values(), *extension}, model.get("unk_id"))
        return json.dumps(model), model.get("unk_id")
    unknown = None if model.get("unk_token") is None else tokenizer.token_to_id(model["unk_token"])
    reused = [i for i, name in hidden.items() if name in extension and tokenizer.model.id_to_token(i) is not None]
    if reused and model["type"] == "BPE":
        model = json.loads(text)
        model_ids.rename(model, {i: f"{_HIDDEN}{i}" for i in reused})
        text = json.dumps(model)
    return text, unknown


def _byte_alphabet() -> dict[str, int]:
    """How a byte-level vocabulary writes bytes: printable characters as they are, the others as characters from U+0100 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{chr(byte): byte for byte in printable}, **{chr(256 + i): byte for i, byte in enumerate(others)}}


def _spelled_bytes(names: Collection[str], alphabet: Mapping[str, int]) -> Iterator[bytes]:
    """What names spell in an alphabet of bytes. A name with other characters stands for itself.

    >>> [*_spelled_bytes(["\u0120a\u00c3", "a b"], _byte_alphabet())]
    [b' a\xc3', b'a b']
    """
    text = "".join(names)
    others = set(text) - alphabet.keys()
    table = {ord(char): byte for char, byte in alphabet.items()} | {ord(char): 0 for char in others}
    spelled = text.translate(table).encode("latin-1")
    start = 0
    for name in names:
        end = start + len(name)
        yield spelled[start:end] if not others or others.isdisjoint(name) else name.encode()
        start = end


def _from_text(content: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(content)


def _text_tokens(tokenizer: Any, tokens: list[dict[str, Any]], extension: Collection[str]) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The added tokens that stand for text (blanks in a row, words), and the texts of the others by id."""
    ordinary = tokenizer.model.id_to_token
    kept: list[dict[str, Any]] = []
    hidden: dict[int, str] = {}
    for token in tokens:
        text, number = token["content"], token["id"]
        if text not in extension and _stands_for_text(tokenizer, token):
            kept.append({**token, "lstrip": False, "rstrip": False})  # or it would swallow, and lose, the blanks beside it
            continue
        if ordinary(number) in (None, text):
            hidden[number] = text
        if ordinary(number) is None:  # it keeps its place, or those after it would get other ids
            kept.append({**token, "content": f"{_HIDDEN}{number}", "normalized": False})
    while kept and kept[-1]["content"].startswith(_HIDDEN):
        kept.pop()
    return kept, hidden


def _stands_for_text(tokenizer: Any, token: dict[str, Any]) -> bool:
    text: str = token["content"]
    if token["special"] or (text.startswith("<") and text.endswith(">")):  # some vocabularies mark only a few as special
        return False
    decoded: str = tokenizer.decode([token["id"]], skip_special_tokens=False)
    return decoded == text or (sentencepiece.is_blank(text) and not decoded.strip(" "))


def _hide_pieces(model: dict[str, Any], texts: Collection[str], unknown: int | None) -> None:
    """Rename pieces of a Unigram model: it finds its pieces in any text, those of control tokens too."""
    model["vocab"] = [
        [f"{_HIDDEN}{i}" if piece in texts or i == unknown else piece, score] for i, (piece, score) in enumerate(model["vocab"])
    ]
