"""Evaluation of language models on programs, in Python and in SimPy.

Importing this brings no library of models: they are imported where they are used.
"""
