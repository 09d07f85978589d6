"""The policies of one proxy: opened and closed with it, guarded so that a fault in one costs no answer, and the models they may ask.

What is done with their decisions, ``policed_handler`` says.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dualcode.policies.guarded import Guarded, close_policies, open_policies
from dualcode.policies.identity import identity_of
from dualcode.policies.protocol import Policy
from dualcode.server.settings import Settings
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError

if TYPE_CHECKING:
    from dualcode.server.metrics import Metrics
    from dualcode.server.upstream import Upstream

_CHANGE_REQUESTS = ("constrain", "bare", "numbers", "tool_results", "edit_tools", "on_error")
"""The settings that change what a model is sent, beside its URL and the dialect."""


class OtherModel(NamedTuple):
    """A model that a policy may name.

    Attributes:
        name: what the upstream calls it; empty for the one that the request names.
        upstream: the server that has it; ``None`` for the one that would be asked anyway.
        key: the key for that server; empty for none.
    """

    name: str
    upstream: Upstream | None = None
    key: str = ""


class ProxyPolicies:
    """The policies of one proxy.

    Args:
        settings: the settings of the proxy.
        metrics: counts what the policies decide.
        dialect: what the models read and write.

    Attributes:
        identity: what tells the models behind this proxy, and how they are asked, from those of another (see ``Question.identity``).
        policies: the policies, the outermost first.
        models: the models that their questions may name.
        see_answers: whether any of them looks at answers or failures.

    Raises:
        SimPyError: there is no such policy, it does not have such options, or its models cannot be asked in a proxy.

    >>> from dualcode.server.metrics import Metrics
    >>> policies = ProxyPolicies(Settings("http://127.0.0.1:8000", policies=("stop",)), Metrics(None), Dialect.load("compact"))
    >>> [policy.name for policy in policies.policies], policies.see_answers
    (['stop'], False)
    """

    def __init__(self, settings: Settings, metrics: Metrics, dialect: Dialect) -> None:
        opened = open_policies(settings.policies)
        try:
            self.models = {name: _model(one.name, other, settings) for one in opened for name, other in one.models.items()}
        except Exception:
            close_policies(opened)
            raise
        models = {"": settings.base, **{name: other for one in opened for name, other in one.models.items()}}
        said = {name: getattr(settings, name) for name in _CHANGE_REQUESTS}
        self.identity = identity_of(models, dialect, {**said, "policies": [policy.identity for policy in opened]})
        self._opened = opened
        self.policies: Sequence[Policy] = [Guarded(policy, metrics.decided) for policy in opened]
        self.see_answers = any(type(one).after is not Policy.after or type(one).failed is not Policy.failed for one in opened)

    async def close(self) -> None:
        """Close the policies, and the connections to other servers."""
        for model in self.models.values():
            if model.upstream is not None:
                await model.upstream.close()
        await asyncio.to_thread(close_policies, self._opened)


def _model(policy: str, model: object, settings: Settings) -> OtherModel:
    """The model that a text names: ``NAME``, or ``URL#NAME``."""
    if not isinstance(model, str):
        raise SimPyError(f"the policy {policy} asks a model of this process", hint="in a proxy, name it as NAME or URL#NAME")
    url, _, name = model.partition("#")
    if not url.startswith(("http://", "https://")):
        if model.startswith((".", "/")) or os.path.isdir(model):
            raise SimPyError(f"the policy {policy} asks a model in a folder: {model}", hint="in a proxy, name it as NAME or URL#NAME")
        return OtherModel(model)
    from dualcode.server.upstream import Upstream  # its HTTP client is a heavy library

    other = replace(settings, upstream=url)
    keys = {replace(settings, upstream=of).base: key for of, key in settings.policy_keys}
    return OtherModel(name, Upstream(other), keys.get(other.base, ""))
