"""The grammar functions of llama.cpp, called in its library: they are not in its C interface, so their names may change."""

from __future__ import annotations

import ctypes

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
