"""What action.yml runs: check round trips, count tokens, and report both in the job's summary and in a comment on the pull request.

Everything comes from the environment: the inputs as ``SIMPY_...``, the job as ``GITHUB_...``. Only the standard library is imported;
the command does the work. No module is imported from the folder that is checked, which is that of a stranger.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MARK = "<!-- simpy-check -->"
"""How a comment is found again, so that a pull request has one and not one per push."""

PYTHON, COMPACT = "python", "compact"
# As `python -m simpy_cli`, but without the current folder among the places that modules are imported from.
_COMMAND = "import sys; sys.path[:] = filter(None, sys.path); from simpy_cli.main import main; sys.exit(main())"
# The processes that the command starts leave it out too where they know PYTHONSAFEPATH; elsewhere it starts none.
_SAFE = {"PYTHONSAFEPATH": "1"}
_PROCESSES = "0" if sys.version_info >= (3, 11) else "1"
_MOST_FAILURES = 20  # that a comment lists; the log has them all


def simpy(*words: str, folder: str | Path = ".") -> tuple[int, Any]:
    """Run the command, and return its exit code and the JSON that it prints; ``None`` for none."""
    command = [sys.executable, "-c", _COMMAND, *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **_SAFE}, stdout=subprocess.PIPE, encoding="utf-8", check=False)
    try:
        return done.returncode, json.loads(done.stdout)
    except ValueError:
        return done.returncode, None


def counted(paths: Sequence[str], tokenizer: str, folder: str | Path = ".") -> dict[str, int]:
    """The tokens of each spelling of the files of some paths; empty if nothing could be counted."""
    there = [path for path in paths if Path(folder, path).exists()]
    if not there:
        return {}
    _, found = simpy("tokens", "--json", *(["--tokenizer", tokenizer] if tokenizer else []), "--", *there, folder=folder)
    if not found or not found["tokenizers"]:
        return {}
    (spellings,) = (one["spellings"] for one in found["tokenizers"].values())
    return {name: one["tokens"] for name, one in spellings.items()}


def counted_before(paths: Sequence[str], tokenizer: str, commit: str) -> dict[str, int]:
    """The same at an earlier commit; empty if the checkout does not hold it, or a path leads out of the repository."""
    if not commit or any(os.path.isabs(path) or ".." in Path(path).parts for path in paths):
        return {}
    archive = subprocess.run(["git", "archive", "--format=tar", "--end-of-options", commit], capture_output=True, check=False)
    if archive.returncode:
        return {}
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        for member in tar:
            if member.isreg() and not os.path.isabs(member.name) and ".." not in Path(member.name).parts:
                tar.extract(member, folder, set_attrs=False)
        return counted(paths, tokenizer, folder)


def failures(checked: Any) -> Iterator[tuple[str, str]]:
    """Each file that was not proved, and why."""
    for file in checked["files"]:
        if file["status"] == "error":
            yield file["path"], file["reason"]
        for dialect, verdict in file["dialects"].items():
            if verdict["status"] == "failed":
                yield file["path"], f"{dialect}: {verdict['reason']}"


def markdown(checked: Any, now: dict[str, int], before: dict[str, int], tokenizer: str) -> str:
    """The report.

    >>> checked = {"dialects": ["dense"], "summary": {"same": 2, "failed": 0, "skipped": 1, "error": 0}, "files": []}
    >>> print(markdown(checked, {"python": 100, "compact": 90, "dense": 80}, {"python": 90, "compact": 81, "dense": 80}, "gpt2"))
    <!-- simpy-check -->
    ### SimPy
    Nothing is lost: 2 files come back the same from 1 dialect. 1 was skipped, since it is not Python for this interpreter.
    <BLANKLINE>
    | spelling | tokens (gpt2) | saved | before |
    | --- | ---: | ---: | ---: |
    | `python` | 100 |  | 90 (+10) |
    | `compact` | 90 | 10.0 % | 81 (+9) |
    | `dense`, tokens added | 80 | 20.0 % | 80 (+0) |
    <BLANKLINE>
    """
    summary = checked["summary"]
    lost = list(failures(checked))
    lines = [MARK, "### SimPy"]
    if lost:
        lines += [f"**{len({path for path, _ in lost})} of {sum(summary.values()):,} files were not proved:**", ""]
        lines += [f"- {_code(path)}: {_code(why)}" for path, why in lost[:_MOST_FAILURES]]
        lines += [f"- and {len(lost) - _MOST_FAILURES} more in the log"] if len(lost) > _MOST_FAILURES else []
    else:
        proved, dialects = _number(summary["same"], "file"), _number(len(checked["dialects"]), "dialect")
        lines.append(f"Nothing is lost: {proved} {'comes' if summary['same'] == 1 else 'come'} back the same from {dialects}.")
    if summary["skipped"]:
        one = summary["skipped"] == 1
        skipped = f"{summary['skipped']:,} {'was' if one else 'were'} skipped, since {'it is' if one else 'they are'} not Python"
        lines[-1] += f" {skipped} for this interpreter."
    if now:
        lines += ["", f"| spelling | tokens ({tokenizer or 'estimated for cl100k_base'}) | saved |{' before |' if before else ''}"]
        lines.append(f"| --- | ---: | ---: |{' ---: |' if before else ''}")
        for name, tokens in now.items():
            added = "" if name in (PYTHON, COMPACT) else ", tokens added"
            saved = "" if name == PYTHON or not now[PYTHON] else f"{100 * (1 - tokens / now[PYTHON]):.1f} %"
            change = f" {before[name]:,} ({tokens - before[name]:+,}) |" if before else ""
            lines.append(f"| `{name}`{added} | {tokens:,} | {saved} |{change}")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """A text of the checked repository as inline code that it cannot leave."""
    fence = "``" if "`" in text else "`"
    inside = " ".join(text.replace("``", "` `").split())
    return f"{fence} {inside} {fence}" if fence == "``" else f"{fence}{inside}{fence}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


class Comments:
    """The comments on a pull request, through the REST API of GitHub.

    Args:
        api: its address.
        repository: as ``owner/name``.
        number: of the pull request.
        token: that may write comments.
    """

    def __init__(self, api: str, repository: str, number: int, token: str) -> None:
        self._comments = f"{api}/repos/{repository}/issues/{number}/comments"
        self._one = f"{api}/repos/{repository}/issues/comments"
        self._token = token

    def write(self, text: str) -> None:
        """Write the comment, or write it anew if the pull request has it.

        Raises:
            OSError: GitHub cannot be reached, or refuses it.
        """
        number = next((one["id"] for one in self._all() if MARK in (one["body"] or "")), None)
        if number is None:
            self._ask("POST", self._comments, {"body": text})
        else:
            self._ask("PATCH", f"{self._one}/{number}", {"body": text})

    def _all(self) -> Iterator[Any]:
        page = 1
        while found := self._ask("GET", f"{self._comments}?per_page=100&page={page}"):
            yield from found
            page += 1

    def _ask(self, method: str, url: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self._token}", "accept": "application/vnd.github+json", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return json.load(answer)


def _event() -> Any:
    path = os.environ.get("GITHUB_EVENT_PATH")
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}


def _command(level: str, text: str, **properties: str) -> None:
    """A workflow command: an annotation that GitHub shows beside the file."""
    escape = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
    more = str.maketrans({":": "%3A", ",": "%2C"})
    shown = ",".join(f"{name}={value.translate(escape).translate(more)}" for name, value in properties.items())
    print(f"::{level}{' ' * bool(shown)}{shown}::{text.translate(escape)}", flush=True)


def main() -> int:
    """Check, count, report; the exit code of ``simpy check``."""
    inputs = {name: os.environ.get(f"SIMPY_{name}", "").strip() for name in ("PATHS", "DIALECT", "TOKENIZER", "COMMENT")}
    paths = [path.strip() for path in inputs["PATHS"].splitlines() if path.strip()] or ["."]
    code, checked = simpy("check", "--json", "--no-cache", "-j", _PROCESSES, "--dialect", inputs["DIALECT"] or "all", "--", *paths)
    if checked is None:  # wrong usage, which the command has explained
        return code
    for path, why in failures(checked):
        _command("error", why, file=path)
    pull = _event().get("pull_request") or {}
    now = counted(paths, inputs["TOKENIZER"])
    before = counted_before(paths, inputs["TOKENIZER"], pull.get("base", {}).get("sha", ""))
    report = markdown(checked, now, before if before.keys() == now.keys() else {}, inputs["TOKENIZER"])
    _append("GITHUB_STEP_SUMMARY", report)
    file = Path(os.environ.get("RUNNER_TEMP", tempfile.gettempdir()), "simpy-report.md")
    file.write_text(report, encoding="utf-8")
    _append("GITHUB_OUTPUT", f"report={file}\n")
    if pull and inputs["COMMENT"].lower() == "true":
        job = os.environ
        try:
            Comments(job["GITHUB_API_URL"], job["GITHUB_REPOSITORY"], pull["number"], job.get("GITHUB_TOKEN", "")).write(report)
        except urllib.error.HTTPError as error:
            why = "the token may not comment; is the permission `pull-requests: write` given, and does the change come from a fork?"
            _command("notice", f"no comment was written: {why if error.code in (401, 403, 404) else error}")
        except OSError as error:
            _command("notice", f"no comment was written: {error}")
    return code


def _append(variable: str, text: str) -> None:
    """Add to a file of the job that the environment names."""
    if path := os.environ.get(variable):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(main())
