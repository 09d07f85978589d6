"""llama.cpp: its reader of grammars, called in its library, and answers of a model that it holds to a grammar.

The functions that read a text by a grammar are not in the C interface of the library, so their names may change. They are those of
llama-cpp-python 0.3.36.
"""

from __future__ import annotations

import ctypes
import importlib.util
import time
from pathlib import Path
from typing import Any

PROMPTS = (
    "Write one short line of Python.",
    "Print a greeting in Python.",
    "Add two numbers in Python.",
    "Name three colours in a Python list.",
)
_SUFFIXES = (".so", ".dylib")
_SIZE_OF_STACK = 24  # bytes of a vector of C++: begin, end, end of what is reserved


class LlamaCppGrammar:
    """A grammar in GBNF, read by llama.cpp itself.

    Args:
        library: the file of the library, such as ``libllama.so``.
        grammar: the text.

    Raises:
        ValueError: llama.cpp refuses it.
    """

    def __init__(self, library: str, grammar: str) -> None:
        functions = ctypes.CDLL(library)
        create = functions["_Z23llama_grammar_init_implPK11llama_vocabPKcS3_bPS3_mPKim"]
        create.restype = ctypes.c_void_p
        text, root = ctypes.c_char_p(grammar.encode()), ctypes.c_char_p(b"root")
        nothing, none = ctypes.c_void_p(None), ctypes.c_size_t(0)
        self._grammar = create(nothing, text, root, ctypes.c_bool(False), nothing, none, nothing, none)
        if not self._grammar:
            raise ValueError("llama.cpp refuses the grammar")
        self._clone = functions["_Z24llama_grammar_clone_implRK13llama_grammar"]
        self._clone.restype = ctypes.c_void_p
        self._free = functions["_Z23llama_grammar_free_implP13llama_grammar"]
        self._accept = functions["_Z20llama_grammar_acceptP13llama_grammarj"]
        self._stacks = functions["_Z24llama_grammar_get_stacksP13llama_grammar"]
        self._stacks.restype = ctypes.POINTER(ctypes.c_void_p * 3)

    def accepts(self, text: str) -> bool:
        """Whether a text is one of the grammar."""
        grammar = ctypes.c_void_p(self._clone(ctypes.c_void_p(self._grammar)))
        try:
            for char in text:
                self._accept(grammar, ctypes.c_uint32(ord(char)))
                begin, end, _ = self._stacks(grammar).contents
                if begin == end:
                    return False
            return self._may_end(grammar)
        finally:
            self._free(grammar)

    def _may_end(self, grammar: ctypes.c_void_p) -> bool:
        """Whether a stack of the state is empty."""
        begin, end, _ = self._stacks(grammar).contents
        for stack in range(begin or 0, end or 0, _SIZE_OF_STACK):
            first, last = (ctypes.c_void_p.from_address(stack + offset).value for offset in (0, 8))
            if first == last:
                return True
        return False


def installed_library() -> str | None:
    """The file of the library that llama-cpp-python has brought; ``None`` where it is not installed."""
    found = importlib.util.find_spec("llama_cpp")
    folders = list(found.submodule_search_locations or ()) if found is not None else []
    return next((str(path) for folder in folders for path in sorted(Path(folder).glob("lib/libllama.*")) if path.suffix in _SUFFIXES), None)


def write(weights: Path, grammar: str | None, samples: int, limit: int) -> tuple[list[tuple[str, bool]], float]:
    """What a model writes through llama-cpp-python in answer to some questions, at temperature 0.8, in one thread.

    Args:
        weights: its file, in GGUF.
        grammar: the text of a grammar in GBNF; the model is free without one.
        samples: how many answers.
        limit: how many tokens of an answer at most.

    Returns:
        The answers and whether the model ended them, and the milliseconds of processor time of a token.

    Raises:
        ValueError: llama.cpp refuses the grammar.
    """
    import llama_cpp

    model = llama_cpp.Llama(str(weights), n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
    answers: list[tuple[str, bool]] = []
    seconds, tokens = 0.0, 0
    for seed in range(samples):
        rule = llama_cpp.LlamaGrammar.from_string(grammar, verbose=False) if grammar is not None else None
        question = [{"role": "user", "content": PROMPTS[seed % len(PROMPTS)]}]
        parts: Any = model.create_chat_completion(question, max_tokens=limit, temperature=0.8, seed=seed, grammar=rule, stream=True)
        text, reason = "", None
        begun: tuple[float, int] | None = None  # when the question has been read, and how many tokens there are then
        for part in parts:
            choice = part["choices"][0]
            begun = begun or (time.process_time(), model.n_tokens)
            text += choice["delta"].get("content") or ""
            reason = choice["finish_reason"]
        answers.append((text, reason == "stop"))
        if begun is not None:
            seconds += time.process_time() - begun[0]
            tokens += model.n_tokens - begun[1]
    return answers, round(1000 * seconds / max(1, tokens), 1)
