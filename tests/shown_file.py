"""A file that an agent was shown shortened, and calls that edit it."""

from __future__ import annotations

import json
from typing import Any

from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.tool_calls import GiveBack
from transpiler import encode

SOURCE = '''\
"""A shop."""
import os

RATE = 0.2  # of the net price


def total( net, *,
           rate = RATE ):
    """The price.

    x=1
    """
    if net > 0:  # sold
        gross = (net
                 + net * rate)
        return gross
    return 0


class Shop:
    names = [ 'a', "b" ]

    def add(self, name):
        self.names.append( name )
        return self

    def drop(self, name):
        self.names.remove( name )
        return self
'''


def shortened(python: str = SOURCE) -> Shortened:
    return Shortened(python, encode(python, dialect="compact") + "\n")


def asked(give: GiveBack, name: str, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(give(name, json.dumps(arguments)))
    return found
