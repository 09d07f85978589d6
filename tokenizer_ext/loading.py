"""Loading tokenizers by name: files and folders, ``tiktoken`` names, ids of a hub. What they can do: ``tokenizer_ext.adapters``."""

from __future__ import annotations

import lzma
import os
import socket
from pathlib import Path
from typing import Any

from simpy_grammar.installing import install
from tokenizer_ext.errors import TokenizerError

FOLDER = "SIMPY_VOCAB"  # an environment variable: a folder of folders with a tokenizer.json or tokenizer.json.xz each
_FILES = ("tokenizer.json", "tokenizer.json.xz")


def load_tokenizer(name: str) -> Any:
    """The tokenizer of this name.

    Tried in this order: a ``tokenizer.json`` (or ``.json.xz``), a folder that holds one or that ``transformers`` reads,
    a folder of this name below ``$SIMPY_VOCAB``, an encoding or model name of ``tiktoken`` (``cl100k_base``, ``gpt-4o``), an
    id of a hub (``bigcode/starcoder2-3b``), which Hugging Face's libraries find in their cache or download.

    Raises:
        TokenizerError: there is no such tokenizer, or the library that would load it is missing; the message says which.

    >>> load_tokenizer("nowhere/tokenizer.json")
    Traceback (most recent call last):
        ...
    tokenizer_ext.errors.TokenizerError: nowhere/tokenizer.json: error: no such file
    """
    path = Path(name)
    if path.is_file():
        return _from_file(path)
    if path.is_dir():
        return _from_folder(path)
    if name.endswith((".json", ".json.xz")):
        raise TokenizerError("no such file", path=name)
    folder = os.environ.get(FOLDER)
    if folder and (found := _in_folder(Path(folder) / name)) is not None:
        return _from_file(found)
    tried: list[str] = []
    for load in (_from_tiktoken, _from_hub):
        tokenizer = load(name, tried)
        if tokenizer is not None:
            return tokenizer
    hint = f"name a tokenizer.json, its folder, a tiktoken name or a hub id; ${FOLDER} may name a folder of vocabularies"
    if any("not installed" in reason for reason in tried):
        hint = f"{install('tokenizers')}; or {hint}"
    raise TokenizerError(f"no tokenizer {name!r}: {'; '.join(tried)}", hint=hint)


def _in_folder(folder: Path) -> Path | None:
    return next((folder / file for file in _FILES if (folder / file).is_file()), None)


def _from_file(path: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise _missing("tokenizers", str(path)) from None
    try:
        text = (lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()).decode("utf-8")
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise TokenizerError(f"cannot read: {error}", path=str(path)) from error
    try:
        return Tokenizer.from_str(text)
    except Exception as error:  # tokenizers raises Exception itself
        hint = "name a tokenizer.json of Hugging Face tokenizers"
        raise TokenizerError(f"not a tokenizer file: {_line(error)}", path=str(path), hint=hint) from error


def _from_folder(path: Path) -> Any:
    found = _in_folder(path)
    if found is not None:
        return _from_file(found)
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise TokenizerError(f"this folder holds no {' or '.join(_FILES)}", path=str(path)) from None
    try:
        return AutoTokenizer.from_pretrained(str(path))
    except Exception as error:  # whatever is wrong with the files of the folder
        raise TokenizerError(f"not a folder of a tokenizer: {_line(error)}", path=str(path)) from error


def _from_tiktoken(name: str, tried: list[str]) -> Any:
    try:
        import tiktoken
    except ImportError:
        tried.append("tiktoken is not installed")
        return None
    if name not in tiktoken.list_encoding_names():
        try:
            name = tiktoken.encoding_name_for_model(name)
        except KeyError:
            tried.append("tiktoken does not know it")
            return None
    try:
        return tiktoken.get_encoding(name)
    except Exception as error:  # requests' errors, and tiktoken's own ValueError
        tried.append(f"tiktoken could not load {name}: {_line(error)}")
        return None


def _from_hub(name: str, tried: list[str]) -> Any:
    try:
        from huggingface_hub import constants, hf_hub_download
        from tokenizers import Tokenizer
    except ImportError:
        tried.append("tokenizers is not installed")
        return None
    for cached in (True, False):
        if not cached and _offline(constants.ENDPOINT):
            tried.append(f"it is not in the cache of the hub, and {constants.ENDPOINT} cannot be reached")
            return None
        try:
            return Tokenizer.from_file(hf_hub_download(name, _FILES[0], local_files_only=cached))
        except Exception as error:  # the hub has many errors, tokenizers raises Exception itself
            if not cached:
                tried.append(f"the hub gave nothing: {_line(error)}")
    return None


def _offline(endpoint: str) -> bool:
    """Whether the hub cannot be reached: its own library would try for half a minute."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies  # slow to import

    if getproxies():
        return False
    url = urlsplit(endpoint)
    try:
        socket.getaddrinfo(url.hostname, url.port or url.scheme)
    except OSError:
        return True
    return False


def _line(error: Exception) -> str:
    """The first line of another library's message, short enough to be one of ours."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if len(text) <= 160 else f"{text[:160]}..."


def _missing(library: str, path: str) -> TokenizerError:
    return TokenizerError(f"this needs the library {library}", path=path, hint=install(library))
