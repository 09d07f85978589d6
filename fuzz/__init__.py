"""Coverage-guided fuzzing: what strangers may send, held to what the converter promises.

``properties`` says what must hold, ``corpus`` what to start from, ``feedback`` what counts as new; ``python -m fuzz``
runs it with atheris. The kept corpus is replayed by ``tests/test_fuzz.py``, which needs no atheris.
"""
