"""Fuzzing: what strangers may send, held to what the converter promises.

``properties`` says what must hold and ``corpus`` what to start from. ``python -m fuzz`` searches with atheris, to which ``feedback``
says what is new; ``python -m fuzz --fixed`` draws its inputs from ``mutations`` alone and needs no atheris. The kept corpus is replayed
by ``tests/test_fuzz.py``.
"""
