"""``simpy edit``: change a piece of a file, or apply a patch; every byte that does not change stays."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from simpy_cli.numbers import whole
from simpy_cli.options import add_dialect, add_verbosity, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import PlaceError, SimPyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simpy_cli.edited_files import Folder, OneFile
    from simpy_cli.report import Report
    from simpy_grammar.dialect import Dialect
    from transpiler.patches import FileEdit

_COMMAND = "simpy edit"
_MOST_ANSWERS = 5


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    from transpiler.patches import FORMS

    parser = command_parser(
        subparsers,
        "edit",
        description="Change a piece of a Python file, or apply what a model wrote: SEARCH/REPLACE blocks, a unified diff, apply_patch, "
        "pairs of strings in JSON, or code given anew. The piece is found by what it says, in any layout, at exactly one place; only the "
        "bytes that must change do, and each edit is proved before it is written. Files that are not Python are changed by their exact "
        "text.\n\nA text that begins with @ names a file that holds it; @@ stands for @ itself.",
        usage="simpy edit FILE --old TEXT --new TEXT [options]\n       simpy edit FILE PATCH [options]\n       "
        "simpy edit --patch PATCH [options]",
        shown=(
            ("simpy edit app.py --old 'f(x, y)' --new 'f(x)'", "at the one place where it stands"),
            ("simpy edit app.py --old 'return 1' --new 'return 2' --within C.f", "in one definition"),
            ("simpy edit app.py --old @old.txt --new @new.txt --diff", "show what would change"),
            ("simpy edit app.py change.diff", "apply a patch to one file"),
            ("simpy edit --patch - < answer.md", "apply a model's answer to the files that it names"),
        ),
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file, or - for standard input, which goes to standard output")
    parser.add_argument("positional_patch", nargs="?", metavar="PATCH", help="a file that holds a patch, or - for standard input")
    parser.add_argument("--old", metavar="TEXT", help="the piece to replace, in any layout")
    parser.add_argument("--new", metavar="TEXT", help="what comes in its place; empty to delete it")
    parser.add_argument("--patch", metavar="PATCH", help="a patch for FILE, or for the files that it names below the current folder")
    parser.add_argument(
        "--near",
        type=whole(least=1, called="a line number"),
        metavar="LINE",
        help="the line on which the piece begins, where it stands at several places",
    )
    parser.add_argument("--within", metavar="NAME", help="the definition in which it stands, such as C.f")
    add_dialect(parser, "--view", default="python", auto=False, python=True, help="the dialect that was quoted from")
    parser.add_argument("--form", choices=tuple(FORMS), help="the form of the patch (default: told by its text)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change, as a unified diff")
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Make the edits that were asked for."""
    from simpy_cli import files
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.edited_files import Folder, OneFile
    from simpy_cli.main import DONE, FAILED, FOUND
    from simpy_cli.report import Report, count

    patch_path = _check_usage(args)
    dialect = load_dialect(args.view)
    try:
        target = OneFile(args.file) if args.file is not None else Folder(".")
    except OSError as error:
        raise files.os_error(error, args.file) from None
    edits = _edits(args, patch_path, target, dialect)
    report = Report(quiet=args.quiet, verbose=args.verbose)
    writes = not (args.check or args.diff)
    done = changed = 0
    for edit in edits:
        if edit.error is not None:
            report.error(_with_answers(edit.error) if args.old is not None else edit.error)
            continue
        try:
            if writes:
                target.write(edit)
        except OSError as error:
            report.error(files.os_error(error, edit.path))
            continue
        except SimPyError as error:
            report.error(error)
            continue
        done += 1
        changed += edit.changes
        _tell(edit, report, args)
    summary = f"{count(changed, 'file')} {'' if writes else 'would be '}edited"
    if done - changed:
        summary += f", {done - changed:,} unchanged"
    if report.errors:
        summary += f", {count(report.errors, 'error')}"
    report.finish(summary)
    if report.errors:
        return FAILED
    return FOUND if args.check and changed else DONE


def _check_usage(args: argparse.Namespace) -> str | None:
    """Refuse what contradicts itself; return where the patch is, or ``None`` if a piece is replaced.

    Raises:
        SimPyError: the arguments contradict each other.
    """
    patches = [path for path in (args.patch, args.positional_patch) if path is not None]
    pieces = [text for text in (args.old, args.new) if text is not None]
    problem = ""
    if len(patches) > 1:
        problem = "two patches are named"
    elif patches and pieces:
        problem = "--old and --new stand in the place of a patch"
    elif not patches and args.file is None:
        problem = "nothing is named: a file, or a patch"
    elif not patches and len(pieces) < 2:
        problem = "--old and --new belong together" if pieces else "nothing says what to change: --old and --new, or a patch"
    elif patches and (args.near is not None or args.within is not None):
        problem = "--near and --within are for --old; a patch says itself where its pieces are"
    elif args.form and not patches:
        problem = "--form is for a patch"
    elif [args.file, *patches].count("-") > 1:
        problem = "standard input cannot be both the file and the patch"
    if problem:
        raise SimPyError(problem, path=_COMMAND, hint=f"see `{_COMMAND} --help`")
    return patches[0] if patches else None


def _edits(args: argparse.Namespace, patch_path: str | None, target: OneFile | Folder, dialect: Dialect) -> Sequence[FileEdit]:
    from simpy_cli.edited_files import Folder
    from simpy_cli.files import shown
    from transpiler.patches import apply_patch, apply_piece, read_patch

    if patch_path is not None:
        patch = read_patch(_read_text(patch_path), args.form, path=shown(patch_path))
        if isinstance(target, Folder):
            return apply_patch(patch, target.read, dialect=dialect)
        return apply_patch(target.named(patch), target.read, path=target.name, dialect=dialect)
    old, new = _text(args.old), _text(args.new)
    name = args.file if isinstance(target, Folder) else target.name
    data = target.read(name) or b""
    return [apply_piece(name, data, old, new, near=args.near, within=args.within, dialect=dialect)]


def _text(argument: str) -> str:
    """The text of an argument, or of the file that it names after ``@``.

    Raises:
        SimPyError: the file cannot be read, or is not UTF-8.
    """
    if argument.startswith("@@"):
        return argument[1:]
    if not argument.startswith("@"):
        return argument
    try:
        return _read_text(argument[1:])
    except SimPyError as error:
        error.hint = error.hint or f"write @{argument} for the text {argument}"
        raise


def _read_text(path: str) -> str:
    from simpy_cli import files

    try:
        data, _ = files.read(path)
    except OSError as error:
        raise files.os_error(error, path) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SimPyError(f"byte 0x{data[error.start]:02x} is not utf-8", path=files.shown(path)) from None


def _with_answers(error: SimPyError) -> SimPyError:
    """An error with the options that would choose each of the places that a piece may be."""
    if isinstance(error, PlaceError) and error.candidates:
        answers = [f"--near {line}{f' ({within})' if within else ''}" for line, within, _ in error.candidates[:_MOST_ANSWERS]]
        error.hint = f"add {' or '.join(answers)}, or quote more of what stands around it"
    return error


def _tell(edit: FileEdit, report: Report, args: argparse.Namespace) -> None:
    from simpy_cli.report import print_diff

    if not edit.changes:
        report.detail(f"{edit.path}: unchanged")
        return
    if args.diff:
        print_diff(edit.diff())
    if edit.removed_comments:
        report.note(f"{edit.path}: comments removed: {', '.join(edit.removed_comments)}")
    if args.check:
        report.note(f"would write {edit.moved_to or edit.path}")
    what = f"moved to {edit.moved_to}" if edit.moved_to else "deleted" if edit.new is None else "created" if edit.old is None else "edited"
    report.detail(f"{edit.path}: {what}")
