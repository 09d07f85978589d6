"""Policies: what spends less for the same answer. Each sees a question before the model does, and the answer after it.

``protocol`` says what a policy is, ``chain`` asks several of them in turn, ``registry`` lists them. Each policy has one file.
"""
