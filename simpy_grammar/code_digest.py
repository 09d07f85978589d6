"""A digest of the toolchain's own code, for results that are kept: they hold for the code that made them."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable


def code_digest(packages: Iterable[str]) -> str:
    """A digest of the code of some packages: versions are not enough, since a clone changes without one.

    >>> code_digest(["grammars"]) == code_digest(["grammars"]) != code_digest(["transpiler"])
    True
    """
    import hashlib  # slow to import; runs over one file need none of this

    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    whole = hashlib.sha256()
    for package in packages:
        for folder, folders, names in os.walk(os.path.join(root, package)):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".py", ".lark", ".txt", ".so", ".pyd")):
                    with open(os.path.join(folder, name), "rb") as file:
                        whole.update(name.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return whole.hexdigest()
