"""Patches: each form is read, each malformed one is read or refused as its case file says, and what is written is read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simpy_grammar.errors import PatchError, SimPyError
from tests.golden import Case
from tests.patch_writers import WRITERS, hunks_of, patches, rewritten_with_elisions
from transpiler.patches import FORMS, Change, cut_at_elisions, form_of, read_patch

CASES = sorted((Path(__file__).parent / "patches").glob("*.txt"))
PLAIN = Change(None, "update")


def shown(change: Change) -> str:
    """A change as one line of JSON, without what is as always."""
    fields = {name: value for name, value in change._asdict().items() if value != getattr(PLAIN, name) or name in ("path", "kind")}
    if change.elided:
        fields["elided"] = change.elided.pieces
    return json.dumps(fields, ensure_ascii=False)


def outcome(text: str) -> dict[str, str]:
    """What reading a patch gives, as sections of a case file."""
    try:
        return {"changes": "\n".join(map(shown, read_patch(text, path="patch").changes))}
    except PatchError as error:
        return {"message": str(error)}


@pytest.mark.quick
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path, request: pytest.FixtureRequest) -> None:
    case = Case.read(path)
    found = outcome(case.sections["patch"])
    if request.config.getoption("--update-cases"):
        path.write_text(
            f"=== patch\n{case.sections['patch']}\n" + "".join(f"=== {name}\n{text}\n" for name, text in found.items()), encoding="utf-8"
        )
        return
    assert found == {name: text for name, text in case.sections.items() if name != "patch"}


@pytest.mark.quick
def test_every_form_has_a_case() -> None:
    assert {form_of(Case.read(path).sections["patch"]) for path in CASES} == {*FORMS, None}


@pytest.mark.quick
def test_errors_are_errors_of_ours() -> None:
    with pytest.raises(SimPyError) as caught:
        read_patch("a\n<<<<<<< SEARCH\nb\n", path="p.txt")
    assert (caught.value.path, caught.value.line, caught.value.column, caught.value.source_line) == ("p.txt", 3, 1, "b")


# ------------------------------------------------------------------------------------------------ written and read back

_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            ["x = 1", "", "    y", "def f():", "=======", "\\=======", ">>>>>>> REPLACE", "<<<<<<< SEARCH", "-------", ":start_line:3"]
            + [
                "@@ x @@",
                "--- a",
                "+++ b",
                "*** End Patch",
                "*** Update File: b.py",
                "\\ No newline at end of file",
                "diff --git a/x b/x",
                "\ty  ",
            ]
            + ["# ü", "\\\\", "-- ", "1.2", "```", "é\u2028f", "\x0cz"]
        ),
        st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=8),
    ),
    max_size=12,
)
_BREAKS = st.sampled_from(["\n", "\r\n"])


@given(_LINES, _LINES, _BREAKS, st.booleans(), st.data())
def test_what_is_written_is_read(old: list[str], new: list[str], line_break: str, whole: bool, data: st.DataObject) -> None:
    """Old and new text come back in every form, character by character."""
    kept = data.draw(st.integers(0, len(old)))
    before = "".join(line + line_break for line in old)
    after = "".join(line + line_break for line in [*old[:kept], *new, *old[kept:]])
    if not whole:
        before, after = before.removesuffix(line_break), after.removesuffix(line_break)
    hunks = [hunk for hunk in hunks_of(before, after) if hunk.old.strip() and hunk.old != hunk.new]
    if len(hunks) != len(hunks_of(before, after)) or not hunks:
        return
    for name, text in patches("src/a.py", before, after):
        read = read_patch(text).changes
        assert [(change.path, change.kind, change.old, change.new) for change in read] == [
            ("src/a.py", "update", hunk.old, hunk.new) for hunk in hunks
        ], (name, text)
        if name in ("git_diff", "roo"):
            assert [change.line for change in read] == [hunk.line for hunk in hunks]


@given(_LINES, _LINES)
def test_elided_pieces_hold_all_that_is_not_left_out(old: list[str], new: list[str]) -> None:
    old = [f"a{number}" for number in range(30)] + old
    before, after = ("".join(line + "\n" for line in lines if '"' not in line and "'" not in line) for lines in (old, new + old))
    written, left_out = rewritten_with_elisions(before, after)
    elided = cut_at_elisions(written)
    assert left_out
    assert len(elided.pieces) == len(left_out) + 1
    assert "".join(piece + run for piece, run in zip(elided.pieces, [*left_out, ""], strict=True)) == after
    assert (
        "".join(piece + elision.text for piece, elision in zip(elided.pieces, elided.elisions, strict=False)) + elided.pieces[-1] == written
    )


def test_a_form_feed_ends_no_line() -> None:
    code = '\f\n\f\nx = """\n# ... existing code ...\n"""\n'
    assert cut_at_elisions(code).pieces == (code,)


@given(st.sampled_from(sorted(WRITERS)), st.integers(0, 400), st.text(max_size=3))
def test_a_damaged_patch_is_read_or_refused(name: str, at: int, text: str) -> None:
    """Cut or spoiled at any place, a patch gives changes or our own error, never another exception."""
    patch = WRITERS[name]("a.py", hunks_of("a\n\nb\nc\nd\n" * 3, "a\n\nB\nc\nd\n" * 3, 1))
    for damaged in (patch[:at], patch[:at] + text + patch[at:], patch[:at] + patch[at + 7 :]):
        for form in (None, *FORMS):
            try:
                changes = read_patch(damaged, form).changes
            except PatchError as error:
                assert error.line is not None
                assert str(error)
            else:
                assert changes
