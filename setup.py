"""The steps that pyproject.toml cannot say: compile the built-in dialects into the wheel, so that no first run has to, and build the
native core where there is a C compiler.

Everything else is in pyproject.toml. An editable install skips the first step and compiles on first use, into the user's cache.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
# The limited API is that of CPython with its lock. SIMPY_PURE=1 leaves the core out, for the wheel that runs everywhere.
LIMITED = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
IS_BUILT = LIMITED and os.environ.get("SIMPY_PURE", "0") in ("", "0")


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


class build_core(build_ext):
    """Builds the native core; where that fails, pure Python does everything."""

    def build_extension(self, ext: Extension) -> None:
        sys.path.insert(0, str(HERE))
        from native.generate import write

        generated = Path(self.build_temp).resolve()
        write(generated)
        ext.include_dirs.append(str(generated))
        super().build_extension(ext)


# -O3 pays in the loops over bytes; SIMPY_CFLAGS adds what the jobs with sanitizers want.
FLAGS = [] if sys.platform == "win32" else ["-std=c11", "-O3", "-fno-strict-aliasing", "-fvisibility=hidden"]
EXTRA = os.environ.get("SIMPY_CFLAGS", "").split()
CORE = Extension(
    "simpy_grammar._native",
    sorted(str(path.relative_to(HERE)) for path in (HERE / "native").glob("*.c")),
    depends=sorted(str(path.relative_to(HERE)) for path in (HERE / "native").glob("*.h")),
    extra_compile_args=[*FLAGS, *EXTRA],
    extra_link_args=EXTRA,
    define_macros=[("Py_LIMITED_API", "0x030A0000")],
    py_limited_api=True,
    optional=True,
)

setup(
    cmdclass={"build_py": build_with_tables, "build_ext": build_core},
    ext_modules=[CORE] if IS_BUILT else [],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if IS_BUILT else {},
)
