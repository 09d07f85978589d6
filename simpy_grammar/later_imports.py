"""Public names of a package that are imported when they are first used, so that importing the package stays fast."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def import_later(package: str, where: Mapping[str, str]) -> Callable[[str], object]:
    """The ``__getattr__`` of a package.

    Args:
        package: its name.
        where: public name -> the module that defines it.

    >>> import_later("simpy_grammar", {"Stream": "simpy_grammar.stream"})("Steam")
    Traceback (most recent call last):
    AttributeError: module 'simpy_grammar' has no attribute 'Steam'
    """

    def find(name: str) -> object:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        found: object = getattr(import_module(where[name]), name)
        setattr(sys.modules[package], name, found)
        return found

    return find
