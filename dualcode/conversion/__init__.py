"""Python to SimPy and back in what people and models say: the one place that wrapper and proxy convert with.

``messages`` converts the messages of a chat, ``completion`` and ``fill_in_the_middle`` unfinished programs; ``streams`` says what
every reader of an answer offers.
"""
