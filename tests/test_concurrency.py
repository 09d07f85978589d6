"""Threads and processes give the same bytes, and the cache of compiled tables survives whatever is in it."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import transpiler
from simpy_grammar import table_cache as tables
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tests.golden import cases
from tests.helpers import CONVERTED, pieces_of, streamed

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [case.python for case in cases() if case.is_readable][::16]
THREADS = 16
OWN = "import sys; from simpy_grammar.dialect import Dialect; import transpiler; "


def work(index: int) -> str:
    """A digest of everything that the converter makes of the cases, begun at another one each time."""
    found: list[tuple[str, str]] = []
    for i in range(len(SOURCES)):
        source = SOURCES[(i + 5 * index) % len(SOURCES)]
        for dialect in CONVERTED:
            simpy = transpiler.encode(source, dialect=dialect, verify=False)
            python = transpiler.decode(simpy, dialect=dialect)
            assert streamed(pieces_of(simpy, 11), dialect) == python
            found.append((simpy, python))
        found.append((transpiler.encode_beginning(source[: len(source) // 2]).simpy, _refused(source)))
    return hashlib.sha256(repr(sorted(found)).encode("utf-8", "surrogatepass")).hexdigest()


def _refused(source: str) -> str:
    try:
        return transpiler.decode(source)
    except SimPyError as error:
        return str(error)


def test_sixteen_threads_give_what_one_gives() -> None:
    expected = work(0)
    barrier = threading.Barrier(THREADS)

    def begin(index: int) -> str:
        barrier.wait()
        return work(index)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads change places in the middle of things
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            assert set(pool.map(begin, range(THREADS))) == {expected}
    finally:
        sys.setswitchinterval(switch)


FILL = OWN + "[transpiler.decode('a', dialect=dialect) for dialect in ('classic', 'dense', 'dense-newline')]"
THREADED = (
    OWN
    + """
import threading
count, dialects = int(sys.argv[1]), ("classic", "dense", "dense-newline", "compact")
found, start = [], threading.Barrier(count)
def begin(i):
    start.wait()
    dialect = dialects[i % len(dialects)]
    try:
        text = transpiler.encode("if a:\\n    b = [c, 'd']\\n", dialect=dialect)
        found.append((dialect, text, transpiler.decode(text, dialect=dialect)))
    except BaseException as error:
        found.append(repr(error))
sys.setswitchinterval(1e-4)
threads = [threading.Thread(target=begin, args=(i,)) for i in range(count)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == count and len(set(found)) == len(dialects), set(found)
"""
)


def test_the_first_use_may_come_from_sixteen_threads(tmp_path: Path) -> None:
    _python(FILL, tmp_path)
    _python(THREADED, tmp_path, "16")


def test_the_first_use_of_an_empty_cache_may_come_from_threads(tmp_path: Path) -> None:
    _python(THREADED.replace('"classic", "dense", "dense-newline", "compact"', '"classic", "compact"'), tmp_path, "4")


def _python(code: str, cache: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SIMPY_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")  # of Python 3.12, where other tests left a thread
def test_processes_give_what_one_gives(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    expected = work(0)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        assert set(pool.map(work, range(4))) == {expected}


def test_a_process_that_was_forked_in_the_middle_of_a_stream_goes_on() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    code = (
        "import os, sys, transpiler\n"
        "decoder = transpiler.Decoder()\n"
        "first = decoder.feed('<if_stmt>a<block_start>b=')\n"
        "child = os.fork()\n"
        "text = first + decoder.feed('1<block_end>') + decoder.close()\n"
        "assert text == 'if a:\\n    b = 1\\n', text\n"
        "if child == 0: os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode == 0


# ------------------------------------------------------------------------------------------------------------ the cache

# A dialect of its own, so that no table of it is shipped; decoding needs no other table.
USE = (
    OWN
    + """
from simpy_grammar import table_cache as tables
chosen = Dialect.load("classic").with_spellings("own", {"RETURN": ("<give>",)})
text = "<def_stmt>f a<block_start><give>a<block_end>"
assert transpiler.decode(text, dialect=chosen) == "def f(a):\\n    return a\\n"
"""
)
READ = USE + "assert 'lark' not in sys.modules\n"  # the tables come from the cache


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file that a first use leaves in the cache."""
    cache = tmp_path_factory.mktemp("cache")
    _python(USE, cache)
    (file,) = cache.iterdir()
    return file


def test_a_first_use_fills_the_cache_and_the_next_reads_it(filled: Path) -> None:
    before = filled.stat()
    _python(READ, filled.parent)
    assert filled.stat().st_mtime_ns == before.st_mtime_ns


def _signed(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


DAMAGES = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "no line": lambda data: b"x" * 100,
    "one byte": lambda data: data[:5000] + bytes((data[5000] ^ 1,)) + data[5001:],
    "digest only": lambda data: data[:65],
    "not text": lambda data: _signed(b"\xff\xfe"),
    "not ours": lambda data: _signed(b"a list"),
    "of another release": lambda data: _signed(b'{"tokens": [], "names": [], "sets": [], "shifts": []}'),
    "without its first line": lambda data: _signed(data.split(b"\n", 2)[2]),
    "a state too many": lambda data: _signed(data.split(b"\n", 1)[1] + b"\n0 1;;"),
    "lines of nothing": lambda data: _signed(b"\n" * 100),
    "without its last state": lambda data: _signed(data.split(b"\n", 1)[1].rpartition(b"\n")[0]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_the_cache_is_not_read(damage: str, filled: Path, tmp_path: Path) -> None:
    broken = tmp_path / filled.name
    assert tables._read(str(filled)) is not None
    broken.write_bytes(DAMAGES[damage](filled.read_bytes()))
    assert tables._read(str(broken)) is None


def test_a_damaged_file_of_the_cache_is_compiled_anew(filled: Path, tmp_path: Path) -> None:
    (tmp_path / filled.name).write_bytes(DAMAGES["half"](filled.read_bytes()))
    _python(USE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [filled.name]
    _python(READ, tmp_path)


def test_a_folder_in_the_place_of_a_file_of_the_cache(filled: Path, tmp_path: Path) -> None:
    (tmp_path / filled.name).mkdir()
    _python(USE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [filled.name]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _python(USE, tmp_path / "file" / "cache")


def test_processes_that_fill_the_cache_at_once(filled: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SIMPY_CACHE": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", USE], env=environment) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert [path.name for path in tmp_path.iterdir()] == [filled.name]
    _python(READ, tmp_path)


def test_tables_say_what_they_were_compiled_of() -> None:
    """Another spelling or another grammar is another file, so that tables of one are never read for the other."""
    classic = Dialect.load("classic")
    assert classic.digest != classic.with_spellings("classic", {"RETURN": ("<give>",)}).digest
    assert tables.load_tables(classic) is tables.load_tables(Dialect.load("classic"))
