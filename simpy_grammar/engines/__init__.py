"""The grammar of a dialect for engines that hold a model to a grammar: llguidance and llama.cpp.

``rules`` takes the rules apart for readers that are not LALR(1), ``lexemes`` says what the terminals match, and a file per
format writes the text. What an engine does with it is in docs/engines.md.
"""
