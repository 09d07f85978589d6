"""The policies, one line each. A policy is a module with one function,

    open_policy(options: Options) -> Policy

and is imported only when it is needed.
"""

from __future__ import annotations

import importlib

from dualcode.policies.options import Options
from dualcode.policies.protocol import Policy
from simpy_grammar.errors import SimPyError

POLICIES: dict[str, str] = {
    "cache": "dualcode.policies.cache",
    "cascade": "dualcode.policies.cascade",
    "early-exit": "dualcode.policies.early_exit",
    "ledger": "dualcode.policies.ledger",
    "prune": "dualcode.policies.prune",
    "refuse": "dualcode.policies.refuse",
    "stop": "dualcode.policies.stop",
}


def register(name: str, module: str) -> None:
    """Add a policy by the full name of its module.

    Raises:
        ValueError: the name is taken by another module.
    """
    if POLICIES.get(name, module) != module:
        raise ValueError(f"there is already a policy {name!r}: {POLICIES[name]}")
    POLICIES[name] = module


def open_policy(policy: str | Policy) -> Policy:
    """The policy that a text names, as ``NAME`` or ``NAME:OPTION=VALUE,OPTION=VALUE``.

    Raises:
        SimPyError: there is no such policy, or it has no such option.

    >>> open_policy("stop:until=function").until
    'function'
    """
    if isinstance(policy, Policy):
        return policy
    name, _, text = policy.partition(":")
    if name not in POLICIES:
        raise SimPyError(f"no policy {name!r}", hint=f"there are: {', '.join(POLICIES)}")
    options = Options(name, text)
    opened: Policy = importlib.import_module(POLICIES[name]).open_policy(options)
    options.end()
    return opened
