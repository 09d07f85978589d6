"""What ``python -m tests.pythons.run`` says: that it finds what was lost, and never calls a check passed that did not run."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers import ALL
from tests.pythons import run
from tests.pythons.compare import DECODED, RESULT, compare, compare_all, text_of
from tests.pythons.run import HERE, Converted, Report

PROGRAM = b"x = 0x1  # one\nprint(x, 'two')\n"

LOST = {
    "a name": ("y = 0x1  # one\nprint(x, 'two')\n", "the syntax tree differs in line 1"),
    "a statement": ("x = 0x1  # one\n", "the syntax tree differs in line 1: a list of 2 became a list of 1"),
    "a comment": ("x = 0x1\nprint(x, 'two')\n", "comments differ: 1 before, 0 after"),
    "the spelling of a number": ("x = 1  # one\nprint(x, 'two')\n", "a literal differs: '0x1' became '1'"),
    "the quotes of a string": ('x = 0x1  # one\nprint(x, "two")\n', "a literal differs"),
    "everything": ("x = = 1\n", "decodes to what this Python does not read: invalid syntax (line 1)"),
}


@pytest.mark.parametrize("what", LOST)
def test_what_was_lost_is_found(what: str) -> None:
    decoded, message = LOST[what]
    verdicts = compare(PROGRAM, {"classic": PROGRAM.decode(), "dense": decoded})
    assert verdicts["classic"] is None
    assert (verdicts["dense"] or "").startswith(message)


def test_comments_are_compared_in_order() -> None:
    assert compare(b"a  # 1\nb  # 2\n", {"classic": "a  # 2\nb  # 1\n"}) == {"classic": "a comment differs: '# 1' became '# 2'"}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the tokenizer of this Python does not tell the parts of f-strings")
def test_the_plain_parts_of_fstrings_are_literals() -> None:
    assert compare(b"f'\\x41{b}'", {"classic": "f'A{b}'"}) == {"classic": "a literal differs: '\\\\x41' became 'A'"}
    assert compare(b"f'a{b+c:>{d}}'", {"classic": "f'a{b + c:>{d}}'"}) == {"classic": None}


def test_a_layout_is_no_loss() -> None:
    assert compare(PROGRAM, {"compact": "x=0x1# one\nprint(x,'two')"}) == {"compact": None}


def test_a_source_that_this_python_does_not_read_is_a_fault() -> None:
    verdict = compare(b"x = = 1\n", {"classic": "x = = 1\n"})["classic"]
    assert verdict == "this Python does not read the source: invalid syntax (line 1)"


def test_sources_are_decoded_as_python_decodes_files() -> None:
    assert text_of(b"\xef\xbb\xbfx = 1\r\n") == "x = 1\n"
    with pytest.raises(SyntaxError):
        text_of(b"x = '\xff'")
    with pytest.raises(SyntaxError):
        text_of(b"# coding: nonsense\n")


def _converted(**spoiled: str) -> Converted:
    """A program that comes back as it is, but for some dialects."""
    return Converted(dict.fromkeys(ALL, PROGRAM.decode()) | spoiled, {})


def test_a_wrong_decoding_of_one_file_in_one_dialect_is_reported() -> None:
    good = Converted(dict.fromkeys(ALL, "x = 1\n"), {})
    spoiled = _converted(dense="x = 0x1  # one\nprint(x, 'three')\n")
    report = run.check({"a.py": PROGRAM, "b.py": b"x = 1"}, {PROGRAM: spoiled, b"x = 1": good}, compare_all)
    assert [fault[:2] for fault in report.faults] == [("a.py", "dense")]
    assert report.files == 2
    assert report.passed == dict.fromkeys(ALL, 2) | {"dense": 1}
    assert report.python.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")


def test_a_refusal_is_a_fault_in_every_dialect() -> None:
    broken = b"x = = 1\n"
    report = run.check({"a.py": broken}, {broken: run.convert(broken)}, compare_all)
    assert [dialect for _, dialect, fault in report.faults if "PythonSyntaxError" in fault] == list(ALL)
    assert not any(report.passed.values())


def test_what_the_interpreter_leaves_out_is_a_fault() -> None:
    def forgetful(work: Path) -> None:
        decoded = json.loads((work / DECODED).read_text(encoding="utf-8"))
        del decoded["a.py"]["dense"]
        (work / DECODED).write_text(json.dumps(decoded), encoding="utf-8")
        compare_all(work)

    def silent(work: Path) -> None:
        (work / RESULT).write_text(json.dumps({"python": "3.15.0", "verdicts": {}}), encoding="utf-8")

    assert run.check({"a.py": PROGRAM}, {PROGRAM: _converted()}, forgetful).faults == [("a.py", "dense", "was not compared")]
    assert len(run.check({"a.py": PROGRAM}, {PROGRAM: _converted()}, silent).faults) == len(ALL)


def test_the_status_and_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    good = Report("3.14.2", 2, dict.fromkeys(ALL, 2), [])
    bad = Report("3.15.0", 2, dict.fromkeys(ALL, 2) | {"classic": 1}, [("a.py", "classic", "the comments differ")])
    assert run.show([good]) == 0
    assert capsys.readouterr().out.endswith(f"\n{2 * len(ALL)} passed, 0 failed\n")
    assert run.show([good, bad]) == 1
    printed = capsys.readouterr().out
    assert "Python 3.15.0: a.py: classic: the comments differ\n" in printed
    assert printed.endswith(f"\n{4 * len(ALL) - 1} passed, 1 failed\n")


def test_nothing_compared_is_not_a_pass() -> None:
    assert run.show([]) == 1


def test_without_node_it_says_that_it_did_not_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert run.main([]) == 0
    printed = capsys.readouterr().out
    assert "nothing was checked" in printed
    assert "passed" not in printed


def test_the_programs_are_the_library_of_the_package_and_the_cases_it_reads(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "python_stdlib.zip", "w") as archive:
        archive.writestr("abc.py", PROGRAM)
        archive.writestr("abc.pyc", b"")
    assert run.library(tmp_path) == {"lib/abc.py": PROGRAM}
    assert "cases/tstrings.py" in run.golden((3, 14))
    assert "cases/tstrings.py" not in run.golden((3, 13))


def test_the_lock_file_names_versions_and_hashes_and_no_registry() -> None:
    text = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages[""]["dependencies"] == wanted
    for name, version in wanted.items():
        assert version == f"npm:pyodide@{packages[f'node_modules/{name}']['version']}"
    assert all(entry["integrity"].startswith("sha512-") for path, entry in packages.items() if path)


@pytest.mark.skipif(
    shutil.which("node") is None or not (HERE / "node_modules").exists(), reason="no Node.js, or its packages are not installed"
)
@pytest.mark.parametrize("name", json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"])
def test_a_python_under_node_finds_a_wrong_decoding(name: str) -> None:
    template = b"t'\\x41{b}'\n"
    converted = {
        PROGRAM: _converted(dense="x = 0x1  # two\nprint(x, 'two')\n"),
        template: Converted(dict.fromkeys(ALL, template.decode()) | {"compact": "t'A{b}'\n"}, {}),
    }
    interpreter = run.in_node(shutil.which("node") or "", HERE / "node_modules" / name)
    report = run.check({"a.py": PROGRAM, "t.py": template}, converted, interpreter)
    assert report.faults == [
        ("a.py", "dense", "a comment differs: '# one' became '# two'"),
        ("t.py", "compact", "a literal differs: '\\\\x41' became 'A'"),
    ]
    assert report.python.startswith(name.removeprefix("python-"))
