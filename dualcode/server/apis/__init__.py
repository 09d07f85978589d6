"""The APIs that the proxy converts: a file for each says where its texts are, ``registry`` which path belongs to which.

``protocol`` says what an API must offer. ``convert`` and ``answers``, outside, do the same with all of them.
"""
