"""Recipes: from a corpus to a model that speaks a dialect. One script and one YAML file each; ``docs/training.md`` walks through them."""

from importlib.util import find_spec

_NEEDED = ("numpy", "torch", "transformers", "pyarrow", "accelerate", "peft", "torchao", "yaml")
_MISSING = [name for name in _NEEDED if find_spec(name) is None]
if _MISSING:
    raise SystemExit(f"recipes: error: not installed: {', '.join(_MISSING)}\nhint: pip install -e '.[train,transformers,corpus]'")
