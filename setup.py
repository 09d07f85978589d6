"""The one step that pyproject.toml cannot say: compile the built-in dialects into the wheel, so that no first run has to.

Everything else is in pyproject.toml. An editable install skips this step and compiles on first use, into the user's cache.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class build_with_tables(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        compiled = Path(self.build_lib).resolve() / "simpy_grammar" / "compiled"
        shutil.rmtree(compiled, ignore_errors=True)  # tables of an older build
        os.environ["SIMPY_CACHE"] = str(compiled)  # what is compiled here is what simpy_grammar.table_cache will look for
        sys.path.insert(0, str(Path(self.build_lib).resolve()))
        from simpy_grammar.dialect import BUILT_IN, PYTHON, Dialect
        from simpy_grammar.table_cache import load_tables

        for name in (*BUILT_IN, PYTHON):
            load_tables(Dialect.load(name))
        for file in compiled.glob("*.json"):
            file.chmod(0o644)


setup(cmdclass={"build_py": build_with_tables})
