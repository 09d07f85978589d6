"""What `mkdocs build` does to the pages beyond rendering them, so that the same files read well on a Git host and on the site.

CHANGELOG.md, CONTRIBUTING.md and SECURITY.md of the repository become pages, and links follow them. Marks and fences that only
our scripts and tests read are written as Python-Markdown has them.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
FROM_ROOT = {name: name.lower() for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
FROM_ROOT_BACK = {page: name for name, page in FROM_ROOT.items()}
_LINK = re.compile(r"(\]\()([^)#:\s]+)(?=[)#])")
_MARK = re.compile(r"^<!-- .* -->$", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,})(\w+) ([^\n`]+)$", re.MULTILINE)
_TABLE_IN_LIST = re.compile(r"(?:^ {2}\|[^\n]*\n)+", re.MULTILINE)
_ROW_CODE = re.compile(r"`[^`\n]*`")
_ROW = re.compile(r"^ *\|.*$", re.MULTILINE)
_CODE = re.compile(r"(^(`{3,})[^\n]*\n.*?^\2`*[ ]*$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand in the root of the repository."""
    for name, page in FROM_ROOT.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page as Python-Markdown wants it."""
    return for_site(markdown, page.file.src_uri)


def for_site(markdown: str, page: str) -> str:
    r"""A page with its links as the site has them, without marks, and with the dialect of a fence as its title.

    >>> for_site("See [changes](../CHANGELOG.md#0.1).\n<!-- figures -->\n", "speed.md")
    'See [changes](changelog.md#0.1).\n\n'
    >>> for_site("```simpy dense\n[a](../CHANGELOG.md)\n```\n", "speed.md")
    '```{ .text .simpy title="dense" }\n[a](../CHANGELOG.md)\n```\n'
    """
    parts = _CODE.split(markdown)
    # Groups of the pattern: prose, a fenced block, its marks, and so on.
    prose = [_tables(_MARK.sub("", _LINK.sub(lambda match: match[1] + _target(match[2], page), text))) for text in parts[::3]]
    fences = [_FENCE.sub(_titled, block, count=1) for block in parts[1::3]]
    return prose[0] + "".join(block + text for block, text in zip(fences, prose[1:], strict=True))


def _titled(fence: re.Match[str]) -> str:
    """The opening line of a fence with the dialect as title; no highlighter knows SimPy, so it is text of a class of its own."""
    language = f'{{ .text .simpy title="{fence[3]}" }}' if fence[2] == "simpy" else f'{fence[2]} title="{fence[3]}"'
    return fence[1] + language


def _tables(text: str) -> str:
    """Tables as Python-Markdown reads them: four blanks deep in a list, and no backslash before a bar in code."""
    text = _TABLE_IN_LIST.sub(lambda match: "\n" + re.sub("^", "  ", match[0].rstrip("\n"), flags=re.MULTILINE) + "\n\n", text)
    return _ROW.sub(lambda row: _ROW_CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def _target(link: str, page: str) -> str:
    """Where a link of a page leads on the site; both are paths with slashes, the page's below ``docs``."""
    origin = FROM_ROOT_BACK.get(page) or f"docs/{page}"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    found = FROM_ROOT.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else None)
    return link if found is None else posixpath.relpath(found, posixpath.dirname(page) or ".")
