"""Tokens of Python, of a minifier's Python and of the dialects, for each vocabulary, with and without learned tokens and aliases.

    python benchmarks/tokens.py --vocab FOLDER --learn DIR... --packages DIR...      measure, print the tables
    python benchmarks/tokens.py ... --json benchmarks/results/tokens.json --write  keep them in docs/tokens.md, with a chart
    python benchmarks/tokens.py --vocab FOLDER --quick ...                           a first look: less code, a smaller budget
    python benchmarks/tokens.py ... --json benchmarks/results/tokens.json --spellings   again what needs no learning
    python benchmarks/tokens.py --render FILE --write                                the page of earlier results, from their JSON

FOLDER holds one folder a vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`; `--only NAME...` picks some, and a
NAME that is not there is looked for where `simpy tokens` would (tiktoken, the hub). `--json` keeps what was measured before,
so that vocabularies can be measured one by one. Every DIR is one package: what is learned on `--learn` is measured on
`--packages`, on the standard library of this Python and on HumanEval (`--human-eval FILE`). *Code only* is what
`ast.unparse` writes after comments and docstrings are gone, and is the reference for its own rows. A budget is all tokens that are
added to a vocabulary: those of the grammar, aliases, and learned ones for the rest.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import random
import sys
import sysconfig
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import transpiler  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tokenizer_ext import Codec, LearnedTokens, extend, load_tokenizer
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.extension import refusal
from tokenizer_ext.fitting import fitted_dialect
from tokenizer_ext.learning.choosing import Choice, choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import Splitter, python_pieces, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter
from transpiler.source import read_source

ROOT = Path(__file__).resolve().parent.parent
DIALECTS = ("classic", "dense", "dense-newline", "dense-open")
ALIASES = 64
BUDGETS = (256, 1024, 4096)
CONTROL = 1024  # the budget at which tokens are learned on Python, too
VIEWS = {"code": "code only", "files": "whole files"}
_NOT_MEASURED = "–"
_NOT_CODE = ("test", "tests", "idle_test", "lib2to3", "site-packages", "encodings", "pydoc_data", "__pycache__")
# What is to be saved on packages, code only: with 1,024 tokens, with aliases among them, with aliases among 4,096.
AIMS = {
    "cl100k_base": (28, 31, 33),
    "o200k_base": (28, 31, 33),
    "starcoder": (29, 33.5, 37),
    "codellama": (30, 35, 39),
    "codebert": (46, 52, 55),
}
# What Sun et al. (ISSTA 2024) give for their SimPy; Codex is p50k, GPT-4 is cl100k.
PUBLISHED = {"codebert": 34.7, "codellama": 13.5, "p50k_base": 12.6, "codet5": 13.8, "starcoder": 8.6, "cl100k_base": 10.4}
WHY = """
Where `classic` stays below the published figure, the reason is the share of prose: comments and docstrings are tokens that no
grammar touches, and `classic` keeps every one of them. Files of the standard library and HumanEval's prompts are rich in
them; *code only* is the same code without.
"""
Texts = list[str]
Result = dict[str, dict[str, dict[str, int]]]  # corpus -> view -> column -> tokens


class _Bare(ast.NodeTransformer):
    """Takes the docstrings away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node


def code_only(source: str) -> str:
    """A program without comments, docstrings and layout of its own."""
    return ast.unparse(_Bare().visit(ast.parse(source))) + "\n"


def read(folder: Path, size: float, tests: bool = False) -> list[tuple[str, str]]:
    """About ``size`` characters of code below a folder, the same each time: whole files beside code only."""
    files = [path for path in sorted(folder.rglob("*.py")) if tests or not set(path.relative_to(folder).parts[:-1]) & set(_NOT_CODE)]
    random.Random(1).shuffle(files)
    found: list[tuple[str, str]] = []
    for path in files:
        try:
            source = read_source(path.read_bytes())
            code = code_only(source)
        except (SimPyError, SyntaxError, ValueError, RecursionError):
            continue
        if code.strip() and len(code) < 100_000:
            found.append((source, code))
            size -= len(code)
        if size < 0:
            break
    return found


def human_eval(path: Path) -> list[tuple[str, str]]:
    """The programs of HumanEval with their solutions."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        sources = [problem["prompt"] + problem["canonical_solution"] for problem in map(json.loads, file)]
    return [(source, code_only(source)) for source in sources]


def minified(sources: Iterable[str]) -> Texts:
    """By python-minifier, with everything off that changes more than white space."""
    import python_minifier

    names = "remove_annotations remove_pass remove_literal_statements combine_imports hoist_literals rename_locals rename_globals"
    names += " remove_object_base convert_posargs_to_args preserve_shebang remove_asserts remove_debug remove_explicit_return_none"
    off: dict[str, Any] = dict.fromkeys((names + " remove_builtin_exception_brackets constant_folding").split(), False)
    return [python_minifier.minify(source, **off) for source in sources]


class Corpora:
    """The texts to measure, spelled once for all vocabularies."""

    def __init__(self, sources: dict[str, list[tuple[str, str]]]) -> None:
        self.python: dict[tuple[str, str], Texts] = {}
        for corpus, pairs in sources.items():
            both = [pair for pair in pairs if self._encodes(pair)]
            self.python[corpus, "files"] = [source for source, _ in both]
            self.python[corpus, "code"] = [code for _, code in both]
        self._spelled: dict[tuple[str, str, str], Texts] = {}
        self._pieces: dict[tuple[str, str], list[tuple[str, ...]]] = {}

    @staticmethod
    def _encodes(pair: tuple[str, str]) -> bool:
        try:
            for source in pair:
                transpiler.encode(source, verify=False)
                python_pieces(source)
            return True
        except (SimPyError, SyntaxError):
            return False

    def spelled(self, key: tuple[str, str], dialect: str | Dialect) -> Texts:
        """The texts in a dialect; "minifier" is python-minifier."""
        name = dialect if isinstance(dialect, str) else dialect.digest
        if key + (name,) not in self._spelled:
            sources = self.python[key]
            texts = minified(sources) if dialect == "minifier" else [transpiler.encode(s, dialect=dialect, verify=False) for s in sources]
            self._spelled[key + (name,)] = texts
        return self._spelled[key + (name,)]

    def pieces(self, key: tuple[str, str]) -> list[tuple[str, ...]]:
        """The pieces of Python texts, for tokens that were learned on Python."""
        if key not in self._pieces:
            self._pieces[key] = [("", *(text for _, text in python_pieces(source)), "") for source in self.python[key]]
        return self._pieces[key]


class Learner:
    """Learns on one corpus, for any vocabulary; what does not depend on the vocabulary is done once."""

    def __init__(self, programs: list[CorpusFile]) -> None:
        self.programs = programs
        self.words = common_words(programs)
        self._passages: dict[str, Any] = {}

    def choose(self, name: str, splitter: Splitter, costs: CostTable, budget: int, tokenizer: Any) -> Choice:
        """The tokens of one kind of text that can be added to a tokenizer."""
        if name not in self._passages:
            self._passages[name] = count_passages(self.programs, splitter, words=self.words)
        adapter = adapter_of(tokenizer)
        return choose(self._passages[name], costs, budget, can_be_added=lambda text: not refusal(text) and adapter.id_of(text) is None)


def measure(
    tokenizer: Any, corpora: Corpora, learner: Learner, budgets: tuple[int, ...], say: Callable[[str], None], spellings: bool = False
) -> Result:
    """All columns for one vocabulary; with ``spellings`` only those that need no learning."""
    plain = CostTable(ordinary_counts(tokenizer))
    result: Result = {corpus: {view: {} for view in VIEWS} for corpus, _ in corpora.python}

    def fill(column: str, count: Callable[[tuple[str, str]], int]) -> None:
        for key in corpora.python:
            result[key[0]][key[1]][column] = count(key)

    def codec_count(dialect: Dialect, learned: LearnedTokens | None = None) -> Callable[[tuple[str, str]], int]:
        codec = Codec(extend(tokenizer, dialect=dialect, learned=learned), dialect=dialect)
        return lambda key: sum(map(codec.count, corpora.spelled(key, dialect)))

    fill("python", lambda key: sum(plain.total(corpora.python[key])))
    fill("minifier", lambda key: sum(plain.total(corpora.spelled(key, "minifier"))))
    fill("compact", lambda key: sum(plain.total(corpora.spelled(key, "compact"))))
    best = fitted_dialect(tokenizer)
    with_aliases = best.with_aliases(ALIASES)
    for dialect in (*map(Dialect.load, DIALECTS), with_aliases):
        fill("aliases" if dialect.aliases else dialect.name, codec_count(dialect))
    if spellings:
        return result
    for name, dialect in (("dense", best), ("aliases", with_aliases)):
        grammar = dialect.special_tokens
        costs = CostTable(ordinary_counts(tokenizer), grammar)
        choice = learner.choose(dialect.name, simpy_splitter(dialect), costs, max(budgets) - len(grammar), tokenizer)
        for budget in budgets:
            learned = LearnedTokens(choice.tokens[: budget - len(grammar)], "", dialect)  # type: ignore[arg-type]  # Dialect.load takes it
            fill(f"{name} {budget}", codec_count(dialect, learned))
        say(f"learned on {dialect.name}: {len(choice.tokens):,} tokens")
    choice = learner.choose("python", python_pieces, plain, CONTROL, tokenizer)
    segmenter = PassageSegmenter(plain)
    for lexemes in choice.lexemes:
        segmenter.add(lexemes)
    fill(f"python {CONTROL}", lambda key: sum(map(segmenter.cost, corpora.pieces(key))))
    say("learned on python")
    return result


# --------------------------------------------------------------------------------------------------------------- tables


def columns(budgets: Iterable[int]) -> dict[str, str]:
    """The columns of the tables, left to right, with their titles; the first is the reference."""
    titles = {"python": "Python tokens", "minifier": "minifier", "compact": "compact"}
    titles |= {name: name for name in (*DIALECTS, "aliases")}
    for budget in budgets:
        names = ("python", "dense", "aliases") if budget == CONTROL else ("dense", "aliases")
        titles |= {f"{name} {budget}": f"{name}, {budget:,}" for name in names}
    return titles


def saved(result: Result, column: str, view: str, corpora: Iterable[str]) -> float:
    """Percent of Python's tokens that a column saves, on some corpora together."""
    before, now = (sum(result[corpus][view][name] for corpus in corpora) for name in ("python", column))
    return 100 - 100 * now / before


def table(data: dict[str, Any], corpus: str, view: str) -> list[str]:
    """The Markdown of one corpus: tokens of Python, then percent saved."""
    titles = columns(data["budgets"])
    lines = ["| vocabulary | " + " | ".join(titles.values()) + " |", "|---" + "|---:" * len(titles) + "|"]
    for vocabulary, result in data["vocabularies"].items():
        row = result[corpus][view]
        cells = [f"{100 - 100 * row[name] / row['python']:.1f}" if name in row else _NOT_MEASURED for name in list(titles)[1:]]
        lines.append(f"| {vocabulary} | {row['python']:,} | " + " | ".join(cells) + " |")
    return lines


def tables(data: dict[str, Any]) -> str:
    """The Markdown of everything that was measured."""
    parts = [["", f"### {title}: {corpus}", "", *table(data, corpus, view)] for view, title in VIEWS.items() for corpus in data["corpora"]]
    return "\n".join(line for part in parts for line in part) + "\n"


def aims(data: dict[str, Any]) -> str:
    """The Markdown of what the toolchain is to reach, beside what it does, and of the published reductions beside ours."""
    names = ("dense 1024", "aliases 1024", "aliases 4096")
    lines = ["| vocabulary | 1,024 tokens | 1,024 with aliases | 4,096 with aliases |", "|---|---:|---:|---:|"]
    for vocabulary, aimed in AIMS.items():
        result = data["vocabularies"].get(vocabulary)
        if result and all(name in result["packages"]["code"] for name in names):
            cells = [f"{saved(result, name, 'code', ['packages']):.1f} ({aim})" for name, aim in zip(names, aimed, strict=True)]
            lines.append(f"| {vocabulary} | {' | '.join(cells)} |")
    lines += ["", "Published reductions of `classic` (Sun et al., ISSTA 2024, whole files) beside ours, whole files and code only:", ""]
    lines += [
        "| vocabulary | published | " + " | ".join(data["corpora"]) + " | code only, all |",
        "|---" + "|---:" * (len(data["corpora"]) + 2) + "|",
    ]
    for vocabulary, result in data["vocabularies"].items():
        if vocabulary in PUBLISHED:
            files = [f"{saved(result, 'classic', 'files', [corpus]):.1f}" for corpus in result]
            lines.append(
                f"| {vocabulary} | {PUBLISHED[vocabulary]} | {' | '.join(files)} | {saved(result, 'classic', 'code', result):.1f} |"
            )
    return "\n".join(lines) + "\n" + WHY


def page(data: dict[str, Any]) -> str:
    """docs/tokens.md."""
    sizes = "; ".join(f"{name} {size / 1e6:.2f} MB of code in {files} files" for name, (files, size) in data["corpora"].items())
    most, known = len(Dialect.load("classic").special_tokens), data["learned_on"]
    return f"""# Tokens

Written by `benchmarks/tokens.py`. The first column is the number of tokens of the Python text, the others the percent of
them that is saved.

* *minifier* (python-minifier with its lossy options off) and *compact* are Python, and need no added tokens: a closed model reads them.
* *classic*, *dense*, *dense-newline* and *dense-open*, an experiment, are dialects whose grammar tokens, {most} at most, were added to the
  vocabulary. *aliases* is the better one of *dense* and *dense-newline* with {ALIASES} [aliases of names](aliases.md).
* A number is a budget: **all** tokens that were added, those of the grammar and aliases among them, and [learned ones](learning.md) for
  the rest. *dense, 1,024* is the better dense dialect with so many tokens. *python* with a number is the control: as many tokens,
  all of them learned, in the same way, on Python as it stands.
* *Code only* has neither comments nor docstrings and is compared with what `ast.unparse` writes; *whole files* are compared with the
  files as they are. There the minifier takes comments away, which none of the others does: that column does not compare like with like.
* Measured on: {sizes}. Packages, which nothing was fitted to or learned from: {", ".join(data["measured_on"])}.
* Learned on {data["learned_mb"]:.1f} MB of {len(known)} other packages, code only, tests left out: {", ".join(known)}.
* Added tokens count as one each, where `tokenizer_ext.Codec` finds them: on the boundaries of lexemes and of parts of names, never in
  literals and comments.

![Percent of tokens saved, code only](tokens.svg)

## What was aimed at

Percent saved on packages, code only, the aim in brackets:

{aims(data)}
{native()}
## All tables
{tables(data)}"""


def native() -> str:
    """The section of vocabularies trained on nothing but Python, from the results of ``benchmarks/native_vocabulary.py``."""
    from benchmarks.native_vocabulary import RESULTS, section

    return section(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else ""


def readme(data: dict[str, Any]) -> str:
    """The table in README."""
    shown = {"CodeBERT": "codebert", "StarCoder": "starcoder", "CodeLlama": "codellama", "cl100k": "cl100k_base", "o200k": "o200k_base"}
    rows = {
        "vocabulary as it is, `compact`": ["compact"],
        "grammar tokens added, `classic`": ["classic"],
        "grammar tokens added, `dense` or `dense-newline`, whichever saves more": ["dense", "dense-newline"],
        "1,024 tokens in all, the rest [learned](docs/learning.md)": ["dense 1024"],
        "1,024 tokens in all, 64 of them [aliases](docs/aliases.md)": ["aliases 1024"],
    }
    measured = data["vocabularies"]
    shown = {name: one for name, one in shown.items() if one in measured and "aliases 1024" in measured[one]["packages"]["code"]}
    lines = [f"| percent of tokens saved | {' | '.join(shown)} |", "| --- |" + " ---: |" * len(shown)]
    for name, found in rows.items():
        results = (measured[vocabulary] for vocabulary in shown.values())
        cells = (f"{max(saved(result, one, 'code', ['packages']) for one in found):.1f}" for result in results)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chart(data: dict[str, Any], path: Path) -> None:
    """Bars: percent saved on packages, code only."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "simpy"
    from matplotlib import pyplot

    shown = ["minifier", "compact", "classic", "dense", "python 1024", "dense 256", "dense 1024", "aliases 1024"]
    titles = columns(data["budgets"])
    figure, axes = pyplot.subplots(figsize=(10, 4.5))
    measured = {name: result for name, result in data["vocabularies"].items() if all(one in result["packages"]["code"] for one in shown)}
    for i, column in enumerate(shown):
        saved = []
        for result in measured.values():
            total, now = (result["packages"]["code"][name] for name in ("python", column))
            saved.append(100 - 100 * now / total)
        places = [at + (i - len(shown) / 2) * 0.8 / len(shown) for at in range(len(saved))]
        axes.bar(places, saved, 0.8 / len(shown), label=titles[column], align="edge")
    axes.set_xticks(range(len(measured)), list(measured))
    axes.set_ylabel("% of Python's tokens saved, packages, code only")
    axes.legend(ncols=4, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


# -------------------------------------------------------------------------------------------------------------- command


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="vocabularies to measure")
    parser.add_argument("--learn", nargs="+", type=Path, metavar="DIR", help="packages to learn on")
    parser.add_argument("--packages", nargs="+", type=Path, metavar="DIR", help="packages to measure on")
    parser.add_argument("--human-eval", type=Path, metavar="FILE", help="HumanEval.jsonl.gz")
    parser.add_argument("--learn-mb", type=float, default=4.0, help="code to learn on, in all (default 4)")
    parser.add_argument("--measure-mb", type=float, default=1.0, help="code to measure on, for packages and library each (default 1)")
    parser.add_argument(
        "--budgets", nargs="+", type=int, default=BUDGETS, metavar="N", help="all tokens that are added (default 256 1024 4096)"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the code, and no more than 1,024 tokens")
    parser.add_argument("--spellings", action="store_true", help="only the columns that need no learning")
    parser.add_argument("--json", type=Path, metavar="FILE", help="read earlier results from here, and write all to it")
    parser.add_argument("--write", action="store_true", help="write docs/tokens.md, docs/tokens.svg and the table in README")
    parser.add_argument("--render", type=Path, metavar="FILE", help="measure nothing; show the results of this JSON file")
    parser.add_argument("--check", action="store_true", help="with --render: is docs/tokens.md what these results give?")
    args = parser.parse_args()
    if not args.render and not (args.vocab and args.learn and args.packages):
        parser.error("--vocab, --learn and --packages are needed, or --render")
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    if args.render and args.check:
        data = json.loads(args.render.read_text(encoding="utf-8"))
        stale = (ROOT / "docs" / "tokens.md").read_text(encoding="utf-8") != page(data)
        if stale:
            print(f"docs/tokens.md is stale: run python benchmarks/tokens.py --render {args.render} --write", file=sys.stderr)
        return int(stale) | _put_readme(data, check=True)
    if args.render:
        return _report(json.loads(args.render.read_text(encoding="utf-8")), args.write)
    both = {path.name for path in args.learn} & {path.name for path in args.packages}
    if both:
        parser.error(f"learned on and measured on: {', '.join(sorted(both))}")
    scale = 0.1 if args.quick else 1.0
    budgets = tuple(budget for budget in args.budgets if budget <= 1024 or not args.quick)
    data = _measure_all(args, scale, budgets)
    if args.json:
        args.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return _report(data, args.write)


def _report(data: dict[str, Any], write: bool) -> int:
    if write:
        (ROOT / "docs" / "tokens.md").write_text(page(data), encoding="utf-8")
        chart(data, ROOT / "docs" / "tokens.svg")
        _put_readme(data)
    print(tables(data))
    return 0


def _put_readme(data: dict[str, Any], check: bool = False) -> int:
    sys.path.insert(0, str(ROOT))
    from benchmarks.pages import put

    command = "python benchmarks/tokens.py --render benchmarks/results/tokens.json --write"
    return put("../README.md", "tokens", readme(data), command, check)


def _measure_all(args: argparse.Namespace, scale: float, budgets: tuple[int, ...]) -> dict[str, Any]:
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    share = scale * args.measure_mb * 1e6
    sources = {"packages": [pair for path in args.packages for pair in read(path, share / len(args.packages), tests=True)]}
    sources["standard library"] = read(Path(sysconfig.get_path("stdlib")), share)
    if args.human_eval:
        sources["HumanEval"] = human_eval(args.human_eval)
    corpora = Corpora(sources)
    each = scale * args.learn_mb * 1e6 / len(args.learn)
    learner = Learner([CorpusFile(path.name, code) for path in args.learn for _, code in read(path, each)])
    data: dict[str, Any] = {
        "budgets": BUDGETS,
        "learned_on": [path.name for path in args.learn],
        "learned_mb": sum(len(program.source) for program in learner.programs) / 1e6,
        "measured_on": [path.name for path in args.packages],
        "corpora": {corpus: [len(texts), sum(map(len, texts))] for (corpus, view), texts in corpora.python.items() if view == "code"},
        "vocabularies": {},
    }
    if args.json and args.json.exists():
        earlier = json.loads(args.json.read_text(encoding="utf-8"))
        same = all(json.dumps(earlier.get(key)) == json.dumps(value) for key, value in data.items() if key != "vocabularies")
        if not same:
            raise SystemExit(f"{args.json} was measured on something else; name another file")
        data["vocabularies"] = earlier["vocabularies"]
    for name in args.only or sorted(path.name for path in args.vocab.iterdir() if path.is_dir()):
        folder = args.vocab / name
        say(name)
        tokenizer = load_tokenizer(str(folder) if folder.is_dir() else name)
        found = measure(tokenizer, corpora, learner, budgets, say, args.spellings)
        for corpus, views in data["vocabularies"].get(name, {}).items():
            for view, counts in views.items():
                found[corpus][view] = {**counts, **found[corpus][view]}
        data["vocabularies"][name] = found
        if args.json:
            args.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return data


if __name__ == "__main__":
    raise SystemExit(main())
