"""The docs as a site: every page in the menu, links that lead somewhere, nothing loaded from elsewhere, references that are filled."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest

for _library in ("mkdocs", "material", "mkdocstrings"):
    pytest.importorskip(_library, reason="the extra docs is not installed")

import yaml  # noqa: E402  # after the libraries that may be missing

from docs import docstring_examples, site_hooks  # noqa: E402  # as above
from docs.site_hooks import FROM_ROOT, for_site, linked, listing  # noqa: E402  # as above
from simpy_grammar import errors  # noqa: E402  # as above
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON  # noqa: E402  # as above

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PACKAGES = ("transpiler", "tokenizer_ext", "tokenizer_ext.constrain", "dualcode", "simpy_corpus", "simpy_eval", "simpy_mcp")
# Pages that repeat figures of others: each must stand in a page that the same paragraph links to.
REPEAT = ("faq.md", "tutorials/closed-model.md", "tutorials/train-and-serve.md", "tutorials/grammars.md")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; `--strict` makes warnings errors, such as a link or an anchor that leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return folder


def article(site: Path, page: str) -> str:
    """The HTML of a page, without its menus."""
    found = re.search(r"<article.*</article>", (site / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[0]


def text(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml ships no types
    """Reads mkdocs.yml, whose tags for Python objects only MkDocs follows."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def menu() -> list[str]:
    """The pages that the menu names."""
    found: list[str] = []

    def walk(entry: object) -> None:
        if isinstance(entry, str):
            found.append(entry)
        elif isinstance(entry, dict):
            for value in entry.values():
                walk(value)
        elif isinstance(entry, list):
            for value in entry:
                walk(value)

    walk(yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)["nav"])
    return found


def test_the_menu_names_every_page_once() -> None:
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(menu()) == sorted([*pages, *FROM_ROOT.values()])


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?(//|https?://)[^>]*", html)
        assert not loaded, f"{page.relative_to(site)} loads from elsewhere"
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import\s+)[\"']?(?://|https?:)", style.read_text(encoding="utf-8")), style


def test_pages_of_the_root_are_pages_of_the_site(site: Path) -> None:
    for name, page in FROM_ROOT.items():
        title = (ROOT / name).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        assert title in text(article(site, page.replace(".md", ".html")))
    assert 'href="changelog.html"' in article(site, "index.html")
    assert 'href="adding-syntax.html"' in article(site, "contributing.html")


def test_markdown_is_rendered_everywhere(site: Path) -> None:
    """No fence, table or list of a page is left as the text that it was."""
    for page in site.rglob("*.html"):
        if page.name == "404.html" or page.parent.name == "playground":  # no page of the docs
            continue
        prose = text(re.sub(r"<(pre|code)\b.*?</\1>", "", article(site, page.relative_to(site).as_posix()), flags=re.DOTALL))
        left = re.findall(r"^.*(?:```|\| ?---|<!--).*$|^\s*\|.*\|$", prose, re.MULTILINE)
        assert not left, f"{page.relative_to(site)}: {left[0]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_names_all_that_a_package_exports(site: Path, package: str) -> None:
    html = article(site, f"reference/{package}.html")
    module = importlib.import_module(package)
    for name in module.__all__:
        assert f'id="{package}.{name}"' in html, f"{package}.{name} is not in its reference"
        documented = (getattr(module, name).__doc__ or "").split("\n")[0].replace("``", "")
        assert documented.strip() in text(html), f"{package}.{name}: its docstring is not shown"


def test_the_reference_of_errors_names_every_error(site: Path) -> None:
    html = article(site, "reference/errors.html")
    named = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.SimPyError)]
    assert named
    assert [name for name in named if f'id="simpy_grammar.errors.{name}"' not in html] == []


def test_examples_of_docstrings_are_code(site: Path) -> None:
    html = article(site, "reference/transpiler.html")
    assert "<blockquote>" not in html
    assert ">>> encode(" in text(html)


@pytest.mark.parametrize("name", (*BUILT_IN, COMPACT, PYTHON))
def test_each_dialect_has_a_page_with_the_same_program(site: Path, name: str) -> None:
    shown = text(article(site, f"dialects/{name}.html"))
    assert (ROOT / "examples" / "cart.py").read_text(encoding="utf-8") in shown


@pytest.mark.parametrize("page", REPEAT)
def test_a_figure_that_is_repeated_stands_where_the_link_leads(page: str) -> None:
    """Otherwise it would go stale without anybody noticing."""
    prose = re.sub(r"^(`{3,}).*?^\1`* *$", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for paragraph in re.split(r"\n\n|\n(?=- )", prose):
        figures = re.findall(r"(\d+(?:\.\d+)?) %", paragraph)
        links = re.findall(r"\]\(([^)#:]+\.md)", paragraph)
        sources = [((DOCS / page).parent / link).read_text(encoding="utf-8") for link in links]
        for figure in figures:
            assert any(re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d]|\.\d)", source) for source in sources), f"{page}: {figure} %"


def test_links_of_pages_follow_the_pages_of_the_root() -> None:
    assert for_site("[a](../CHANGELOG.md#x) [b](views.md) [c](https://example.com/CHANGELOG.md)", "serve.md") == (
        "[a](changelog.md#x) [b](views.md) [c](https://example.com/CHANGELOG.md)"
    )
    assert for_site("[a](../../SECURITY.md)", "tutorials/grammars.md") == "[a](../security.md)"
    assert for_site("[a](docs/views.md#x) [b](CHANGELOG.md)", "contributing.md") == "[a](views.md#x) [b](changelog.md)"


def test_files_outside_of_the_docs_are_copied_and_linked() -> None:
    text = "[a](../examples/two_sum.py) [b](../examples) `[c](../fuzz)` [d](https://example.com/fuzz)\n```text\n[e](../fuzz)\n```\n"
    assert list(linked(text, "serve.md")) == ["examples/two_sum.py", "examples"]
    assert (
        for_site("[a](../examples/two_sum.py) [b](../examples)", "serve.md")
        == "[a](files/examples/two_sum.py) [b](files/examples/index.md)"
    )
    assert for_site("[a](../../grammars/dense.lark)", "dialects/dense.md") == "[a](../files/grammars/dense.lark)"
    assert listing("a/b", ["a/b/c.py", "a/b/.d/e.json"]).endswith("- [c.py](c.py)\n- [.d/e.json](.d/e.json)\n")


def test_a_link_to_a_file_outside_of_the_docs_is_a_file_of_the_site(site: Path) -> None:
    assert (site / "files" / "grammars" / "dense.lark").read_bytes() == (ROOT / "grammars" / "dense.lark").read_bytes()
    assert 'href="../files/grammars/dense.lark"' in article(site, "dialects/dense.html")


def test_a_built_playground_is_a_part_of_the_site(tmp_path: Path) -> None:
    assert site_hooks.built_playground(tmp_path) == {}
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "assets/a.js"):
        (tmp_path / name).write_text("1")
    assert site_hooks.built_playground(tmp_path) == {
        "playground/assets/a.js": tmp_path / "assets" / "a.js",
        "playground/index.html": tmp_path / "index.html",
    }


def test_code_is_left_alone() -> None:
    block = "````python\n>>> '[a](../CHANGELOG.md)'\n```python\n| a \\| b |\n<!-- figures -->\n````\n"
    assert for_site(block, "serve.md") == block
    assert for_site("| `a \\| b` | c \\| d |\n", "rules.md") == "| `a | b` | c \\| d |\n"


def test_the_dialect_of_a_fence_is_its_title() -> None:
    assert (
        for_site("```simpy dense\n<!-- x -->\n```\n<!-- figures -->\n", "a.md") == '```{ .text .simpy title="dense" }\n<!-- x -->\n```\n\n'
    )
    assert for_site("```python compact\nx=1\n```\n", "a.md") == '```python title="compact"\nx=1\n```\n'


def test_a_table_in_a_list_is_indented_and_ends() -> None:
    source = "- a\n\n  | b | c |\n  | --- | --- |\n  | d | e |\n- f\n"
    assert for_site(source, "changelog.md") == "- a\n\n\n    | b | c |\n    | --- | --- |\n    | d | e |\n\n- f\n"


def test_examples_are_fenced_up_to_a_blank_line() -> None:
    docstring = "Does.\n\n    >>> f(1)\n    2\n\n    >>> g()\n    3"
    assert docstring_examples.fenced(docstring).count("```pycon") == 2
    assert docstring_examples.fenced("None here.") == "None here."


@pytest.mark.parametrize("module", [site_hooks, docstring_examples], ids=lambda module: module.__name__)
def test_examples_of_the_site_itself(module: ModuleType) -> None:
    done = doctest.testmod(module)
    assert done.attempted and not done.failed
