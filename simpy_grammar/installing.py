"""What to install where an optional library is missing: one table, and a command that works however the toolchain was installed."""

from __future__ import annotations

import os

LIBRARIES = {
    "tokenizers": "tokenizers",
    "tiktoken": "tokenizers",
    "huggingface_hub": "tokenizers",
    "transformers": "transformers",
    "numpy": "transformers",
    "torch": "transformers",
    "starlette": "serve",
    "uvicorn": "serve",
    "httpx": "serve",
    "openai": "serve",
    "prometheus_client": "serve",
    "tomli": "serve",
    "matplotlib": "charts",
    "mcp": "mcp",
    "litellm": "litellm",
    "pyarrow": "corpus",
    "datasets": "corpus",
    "zstandard": "corpus",
    "datasketch": "corpus",
    "ray": "ray",
    "accelerate": "train",
    "peft": "train",
    "sklearn": "policies",
    "torchao": "weights",
    "gguf": "weights",
    "bitsandbytes": "bitsandbytes",
    "codecarbon": "energy",
    "zeus": "energy",
}
"""The import name of each optional library, and the extra of ``pyproject.toml`` that brings it."""

DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""The libraries that are not installed under their import name; for others, underscores are dashes."""

DISTRIBUTION = "simpy-lang"
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def install(library: str, *, root: str = _ROOT) -> str:
    """The command that installs an optional library, with all that its extra brings.

    In a clone it is an installation of the clone with the extra. Elsewhere it names the libraries themselves, as the
    metadata of the installed distribution does, since the distribution may not be on an index.

    Args:
        library: its import name.
        root: the folder that holds the packages of the toolchain.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = open(os.path.join(folder, "pyproject.toml"), "w").close()
    ...     install("openai", root=folder) == f'pip install -e "{folder}[serve]"'
    True
    """
    extra = LIBRARIES.get(library)
    if extra is not None and os.path.isfile(os.path.join(root, "pyproject.toml")):
        return f'pip install -e "{"." if os.path.realpath(root) == os.path.realpath(os.curdir) else root}[{extra}]"'
    wanted = _requirements(extra) if extra is not None else []
    return "pip install " + " ".join(f'"{name}"' for name in wanted or [distribution(library)])


def distribution(library: str) -> str:
    """The name under which a library is installed.

    >>> distribution("sklearn"), distribution("huggingface_hub")
    ('scikit-learn', 'huggingface-hub')
    """
    return DISTRIBUTIONS.get(library, library.replace("_", "-"))


def _requirements(extra: str) -> list[str]:
    """What an extra of the installed distribution needs; nothing if it is not installed."""
    from importlib import metadata  # slow to import, and wanted after a mistake only

    try:
        found = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    return [line.partition(";")[0].strip() for line in found if line.partition(";")[2].strip().replace("'", '"') == f'extra == "{extra}"']
