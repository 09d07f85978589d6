"""The one step that pyproject.toml cannot say: compile the built-in dialects into the wheel, so that no first run has to.

Everything else is in pyproject.toml. An editable install skips this step and compiles on first use, into the user's cache.
"""

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
        sys.path.insert(0, str(Path(self.build_lib).resolve()))
        from simpy_grammar.table_cache import ship

        ship(str(compiled))


setup(cmdclass={"build_py": build_with_tables})
