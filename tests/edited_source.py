"""A file that tests edit, and what says whether two programs are the same."""

from __future__ import annotations

from transpiler.proof import parse_tree, same_tree

SOURCE = '''\
"""A module."""
import os  # for paths


@cache
def f(a, b=1,  # the second
      *c):
    """Doc."""
    # why
    if (a + b) and c:  # head
        return g(a,
                 b)
    elif b: x = 1; y = 2
    else:
        x = [
            1,
            2,
        ]
    return -a


class C:
    def m(self): return self.x

    def n(self):
        try:
            return 'one'  # first
        except KeyError:
            pass
        finally:
            done()
'''


def same_program(one: str, other: str) -> bool:
    trees = parse_tree(one), parse_tree(other)
    return trees[0] is not None and trees[1] is not None and same_tree(trees[0], trees[1])
