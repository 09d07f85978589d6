"""The built-in dialect that suits a vocabulary, and the sample that it is chosen on."""

from __future__ import annotations

from typing import Any

from simpy_grammar.dialect import Dialect
from tokenizer_ext.costs import CostTable, ordinary_counts
from transpiler import encode

DENSE_DIALECTS = ("dense", "dense-newline")  # the built-in dialects that ``fitted_dialect`` chooses from

_SAMPLE = '''
import os
from collections.abc import Iterable, Mapping


class Inventory(Base):
    """What is in stock."""

    def __init__(self, items: Mapping[str, int] | None = None, *, limit=100, strict=False):
        super().__init__(name="inventory", limit=limit)
        self.items = dict(items or {})
        self._strict = strict

    @property
    def total(self) -> int:
        return sum(self.items.values())

    def add(self, name: str, count: int = 1) -> None:
        if not isinstance(name, str):
            raise TypeError(f"expected a name, got {type(name).__name__}")
        if self._strict and name not in self.items:
            raise KeyError(name)
        self.items[name] = self.items.get(name, 0) + count
        self.changed = True

    def remove(self, names: Iterable[str], default=None):
        removed = []
        for index, name in enumerate(names):
            try:
                removed.append((index, self.items.pop(name)))
            except KeyError as error:
                if default is None:
                    logger.warning("no %s here: %s", name, error)
                    continue
                removed.append((index, default))
            finally:
                self.changed = True
        return [count for index, count in removed if count > 0]


def read(path, encoding="utf-8"):
    with open(os.path.join(path, "items.txt"), encoding=encoding) as file:
        lines = [line.strip() for line in file if line and line[0] != "#"]
    pairs = (line.split(",", 1) for line in lines)
    result = {key: int(value) for key, value in pairs}
    while len(result) > 100 and result:
        key = min(result, key=lambda k: (result[k], k))
        del result[key]
    assert len(result) <= 100, "too many"
    return Inventory(result, strict=True), lines[1:-1], result == {}


if __name__ == "__main__":
    inventory, lines, empty = read(sys.argv[1])
    print(inventory.total, "in", len(lines), "lines" if not empty else "", sep="\\t")
'''


def fitted_dialect(tokenizer: Any) -> Dialect:
    """The built-in dense dialect with which a tokenizer takes the fewest tokens, measured on a small sample.

    >>> fitted_dialect(None).name in DENSE_DIALECTS
    True
    """
    specials = Dialect.load("classic").special_tokens
    costs = CostTable(ordinary_counts(tokenizer), specials)
    sizes = [costs.total([encode(_SAMPLE, dialect=name, verify=False)])[0] for name in DENSE_DIALECTS]
    return Dialect.load(DENSE_DIALECTS[sizes.index(min(sizes))])
