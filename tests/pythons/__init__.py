"""Round trips through the newest CPythons, which run as WebAssembly under Node.js: ``python -m tests.pythons.run``."""
