"""What `mkdocs build` does to the pages beyond rendering them, so that the same files read well on a Git host and on the site.

CHANGELOG.md, CONTRIBUTING.md and SECURITY.md of the repository become pages, other files and folders that a page links to are copied,
and links follow. The playground is a part of the site where it has been built. Marks and fences that only our scripts and tests read
are written as Python-Markdown has them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
FROM_ROOT = {name: name.lower() for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
FROM_ROOT_BACK = {page: name for name, page in FROM_ROOT.items()}
COPIED = "files"  # the folder of the site for what is not in `docs`
PLAYGROUND = ROOT / "web" / "dist"  # what `npm run build` makes of `web`; its page is playground.md
_LINK = re.compile(r"`[^`\n]*`|(\]\()([^)#:\s]+)(?=[)#])")  # or a code span, in which nothing is a link
_MARK = re.compile(r"^<!-- .* -->$", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,})(\w+) ([^\n`]+)$", re.MULTILINE)
_TABLE_IN_LIST = re.compile(r"(?:^ {2}\|[^\n]*\n)+", re.MULTILINE)
_ROW_CODE = re.compile(r"`[^`\n]*`")
_ROW = re.compile(r"^ *\|.*$", re.MULTILINE)
_CODE = re.compile(r"(^(`{3,})[^\n]*\n.*?^\2`*[ ]*$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand in the root of the repository, and the files outside of `docs` that pages link to."""
    for name, page in FROM_ROOT.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    copies = built_playground(PLAYGROUND)
    for path in sorted({path for page in files.documentation_pages() for path in linked(page.content_string, page.src_uri)}):
        inside = files_inside(path) if (ROOT / path).is_dir() else [path]
        copies.update({copied(name): ROOT / name for name in inside})
        if inside != [path]:
            files.append(File.generated(config, copied(path), content=listing(path, inside)))
    for name, source in copies.items():
        files.append(File.generated(config, name, abs_src_path=str(source), inclusion=InclusionLevel.INCLUDED))
    return files


def files_inside(folder: str) -> list[str]:
    """The files of a folder of the repository, without what was built there.

    >>> files_inside("docs/pictures")
    ['docs/pictures/dualcode.svg', 'docs/pictures/edit.svg', 'docs/pictures/path.svg']
    """
    found = (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not {"__pycache__", "node_modules", "dist"} & set(path.parts))


def built_playground(folder: Path) -> dict[str, Path]:
    """The files of the site that are the playground, each with where it is now; none if the playground has not been built.

    >>> built_playground(ROOT / "not built")
    {}
    """
    if not (folder / "index.html").is_file():
        return {}
    return {f"playground/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*")) if path.is_file()}


def linked(markdown: str, page: str) -> Iterator[str]:
    """The files and folders of the repository outside of `docs` that a page links to.

    >>> list(linked("[a](../examples/cart.py), [b](../fuzz), [c](views.md), [d](../CHANGELOG.md), [e](../none.py)", "serve.md"))
    ['examples/cart.py', 'fuzz']
    """
    for prose in _CODE.split(markdown)[::3]:
        for match in _LINK.finditer(prose):
            path = _path(match[2], page) if match[1] else ""
            if path and path not in FROM_ROOT and not path.startswith(("docs/", "../")) and (ROOT / path).exists():
                yield path


def copied(path: str) -> str:
    """Where the site has a file or folder that is not in `docs`. Only the list of a folder is a page.

    >>> copied("server.json"), copied("plugin/README.md"), copied("fuzz")
    ('files/server.json', 'files/plugin/README.md.txt', 'files/fuzz/index.md')
    """
    if (ROOT / path).is_dir():
        return f"{COPIED}/{path}/index.md"
    return f"{COPIED}/{path}.txt" if path.endswith(".md") else f"{COPIED}/{path}"


def listing(path: str, inside: list[str]) -> str:
    """The page of a folder: links to its files.

    >>> print(listing("examples", ["examples/cart.py"]), end="")
    # `examples`
    <BLANKLINE>
    - [cart.py](cart.py)
    """
    links = [f"- [{name[len(path) + 1 :]}]({posixpath.relpath(copied(name), f'{COPIED}/{path}')})" for name in inside]
    return "\n".join([f"# `{path}`\n", *links]) + "\n"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A page as Python-Markdown wants it; that of the playground leads to the playground, if the site has it."""
    if page.file.src_uri == "playground.md" and files.get_file_from_path("playground/index.html"):
        title, line, rest = markdown.partition("\n")
        markdown = f"{title}\n\n[Open the playground](playground/index.html)\n{line}{rest}"
    return for_site(markdown, page.file.src_uri)


def for_site(markdown: str, page: str) -> str:
    r"""A page with its links as the site has them, without marks, and with the dialect of a fence as its title.

    >>> for_site("See [changes](../CHANGELOG.md#0.1).\n<!-- figures -->\n", "speed.md")
    'See [changes](changelog.md#0.1).\n\n'
    >>> for_site("```simpy dense\n[a](../CHANGELOG.md)\n```\n", "speed.md")
    '```{ .text .simpy title="dense" }\n[a](../CHANGELOG.md)\n```\n'
    """
    # Groups of the pattern: prose, a fenced block, its marks, and so on.
    parts = _CODE.split(markdown)
    fences = [_FENCE.sub(_titled, block, count=1) for block in parts[1::3]]
    first, *others = (_prose(text, page) for text in parts[::3])
    return first + "".join(block + text for block, text in zip(fences, others, strict=True))


def _prose(text: str, page: str) -> str:
    text = _LINK.sub(lambda match: match[1] + _target(match[2], page) if match[1] else match[0], text)
    return _tables(_MARK.sub("", text))


def _titled(fence: re.Match[str]) -> str:
    """The opening line of a fence with the dialect as title; no highlighter knows SimPy, so it is text of a class of its own."""
    language = f'{{ .text .simpy title="{fence[3]}" }}' if fence[2] == "simpy" else f'{fence[2]} title="{fence[3]}"'
    return fence[1] + language


def _tables(text: str) -> str:
    """Tables as Python-Markdown reads them: four blanks deep in a list, and no backslash before a bar in code."""
    text = _TABLE_IN_LIST.sub(lambda match: "\n" + re.sub("^", "  ", match[0].rstrip("\n"), flags=re.MULTILINE) + "\n\n", text)
    return _ROW.sub(lambda row: _ROW_CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), text)


def _path(link: str, page: str) -> str:
    """The path in the repository to which a link of a page leads."""
    origin = FROM_ROOT_BACK.get(page) or f"docs/{page}"
    return posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))


def _target(link: str, page: str) -> str:
    """Where a link of a page leads on the site; both are paths with slashes, the page's below ``docs``."""
    path = _path(link, page)
    if path.startswith("docs/"):
        found = path.removeprefix("docs/")
    elif path in FROM_ROOT:
        found = FROM_ROOT[path]
    elif not page.startswith(f"{COPIED}/") and (ROOT / path).exists():
        found = copied(path)
    else:
        return link
    return posixpath.relpath(found, posixpath.dirname(page) or ".")
