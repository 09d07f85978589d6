"""Tokens of Python, of a minifier's Python and of every dialect, for each vocabulary, with and without learned tokens.

    python benchmarks/tokens.py --vocab FOLDER --learn DIR... --packages DIR...      measure, print the tables
    python benchmarks/tokens.py ... --json benchmarks/results/tokens.json --write  keep them in docs/tokens.md, with a chart
    python benchmarks/tokens.py --vocab FOLDER --quick ...                           a first look: less code, fewer learned tokens
    python benchmarks/tokens.py ... --json benchmarks/results/tokens.json --spellings   again what needs no search
    python benchmarks/tokens.py --render FILE --write                                the page of earlier results, from their JSON

FOLDER holds one folder a vocabulary, each with `tokenizer.json` or `tokenizer.json.xz`; `--only NAME...` picks some, and a
NAME that is not there is looked for where `simpy tokens` would (tiktoken, the hub). `--json` keeps what was measured before,
so that vocabularies can be measured one by one. Every DIR is one package: what is learned on `--learn` is measured on
`--packages`, on the standard library of this Python and on HumanEval (`--human-eval FILE`). *Code only* is what
`ast.unparse` writes after comments and docstrings are gone, and is the reference for its own rows.
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

import transpiler
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from tokenizer_ext import Codec, LearnedTokens, extend, load_tokenizer
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.extension import refusal
from tokenizer_ext.fitting import fit, fitted_dialect
from tokenizer_ext.learning.choosing import Choice, choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import Splitter, python_pieces, simpy_splitter
from tokenizer_ext.learning.segmenter import PassageSegmenter
from transpiler.source import read_source

ROOT = Path(__file__).resolve().parent.parent
DIALECTS = ("classic", "dense", "dense-newline", "dense-open")
BUDGETS = (64, 256, 1024)
VIEWS = {"code": "code only", "files": "whole files"}
_NOT_MEASURED = "–"
_NOT_CODE = ("test", "tests", "idle_test", "lib2to3", "site-packages", "encodings", "pydoc_data", "__pycache__")
# What the best dense spelling is to save with no, 256 and 1,024 learned tokens.
AIMS = {
    "cl100k_base": (17.5, 23, 26.5),
    "o200k_base": (17, 23, 26.5),
    "qwen2.5": (17, None, None),
    "starcoder": (13.8, 24, 29.5),
    "codellama": (17.8, 27.5, 32.5),
    "codebert": (39, 47, 52),
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
        self._pieces: dict[tuple[str, str, bool], list[tuple[str, ...]]] = {}

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

    def pieces(self, key: tuple[str, str], compact: bool) -> list[tuple[str, ...]]:
        """The pieces of Python texts, for tokens that were learned on Python."""
        if key + (compact,) not in self._pieces:
            texts = self.spelled(key, "compact") if compact else self.python[key]
            self._pieces[key + (compact,)] = [("", *(text for _, text in python_pieces(source)), "") for source in texts]
        return self._pieces[key + (compact,)]


class Learner:
    """Learns on one corpus, for any vocabulary; what does not depend on the vocabulary is done once."""

    def __init__(self, programs: list[CorpusFile]) -> None:
        self.programs = programs
        self.words = common_words(programs)
        self._passages: dict[str, Any] = {}

    def choose(self, name: str, splitter: Splitter, costs: CostTable, budget: int, tokenizer: Any) -> Choice:
        """The tokens of one kind of text that can be added to a tokenizer."""
        if name not in self._passages:
            self._passages = {key: table for key, table in self._passages.items() if not key.startswith("fitted")}
            self._passages[name] = count_passages(self.programs, splitter, words=self.words)
        adapter = adapter_of(tokenizer)
        return choose(self._passages[name], costs, budget, can_be_added=lambda text: not refusal(text) and adapter.id_of(text) is None)


def measure(
    tokenizer: Any, corpora: Corpora, learner: Learner, budgets: tuple[int, ...], say: Callable[[str], None], spellings: bool = False
) -> Result:
    """All columns for one vocabulary; with ``spellings`` only those that need neither search nor learning."""
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
    for name in DIALECTS:
        fill(name, codec_count(Dialect.load(name)))
    if spellings:
        return result
    sample = [program.source for program in learner.programs]
    random.Random(2).shuffle(sample)
    size, used = 400_000, []
    while sample and size > 0:
        used.append(sample.pop())
        size -= len(used[-1])
    dialect = fit(tokenizer, used, start=fitted_dialect(tokenizer)).dialect
    fill("fitted", codec_count(dialect))
    say("fitted")
    costs = CostTable(ordinary_counts(tokenizer), dialect.special_tokens)
    choice = learner.choose(f"fitted {dialect.digest}", simpy_splitter(dialect), costs, budgets[-1], tokenizer)
    for budget in budgets:
        learned = LearnedTokens(choice.tokens[:budget], "", dialect)  # type: ignore[arg-type]  # Dialect.load takes it
        fill(f"fitted+{budget}", codec_count(dialect, learned))
    say("learned")
    for name, compact in (("python", False), ("compact", True)):
        choice = learner.choose(name, _compact_pieces if compact else python_pieces, plain, budgets[-1], tokenizer)
        segmenter, done = PassageSegmenter(plain), 0
        for budget in budgets:
            for lexemes in choice.lexemes[done:budget]:
                segmenter.add(lexemes)
            done = budget
            fill(f"{name}+{budget}", lambda key: sum(map(segmenter.cost, corpora.pieces(key, compact))))  # noqa: B023  # called at once
        say(f"learned on {name}")
    return result


def _compact_pieces(source: str) -> list[tuple[str, str]]:
    return python_pieces(transpiler.encode(source, dialect="compact", verify=False))


# --------------------------------------------------------------------------------------------------------------- tables


def columns(data: dict[str, Any]) -> list[str]:
    """The columns of the tables that were measured, left to right; the first is the reference."""
    learned = [f"{name}+{budget}" for name in ("fitted", "python", "compact") for budget in data["budgets"]]
    names = ("python", "minifier", "compact", *DIALECTS, "fitted", *learned)
    return [name for name in names if any(_has(result, name) for result in data["vocabularies"].values())]


def _has(result: Result, column: str) -> bool:
    return all(column in counts for views in result.values() for counts in views.values())


def tables(data: dict[str, Any]) -> str:
    """The Markdown of everything that was measured: tokens of Python, then percent saved."""
    lines: list[str] = []
    for view, title in VIEWS.items():
        for corpus in data["corpora"]:
            lines += [f"### {title}: {corpus}", ""]
            names = columns(data)
            lines += ["| vocabulary | Python tokens | " + " | ".join(names[1:]) + " |", "|---" + "|---:" * len(names) + "|"]
            for vocabulary, result in data["vocabularies"].items():
                row = result[corpus][view]
                cells = [f"{100 - 100 * row[name] / row['python']:.1f}" if name in row else _NOT_MEASURED for name in names[1:]]
                lines.append(f"| {vocabulary} | {row['python']:,} | " + " | ".join(cells) + " |")
            lines.append("")
    return "\n".join(lines)


def saved(result: Result, column: str, view: str, corpora: Iterable[str]) -> float:
    """Percent of Python's tokens that a column saves, on some corpora together."""
    before, now = (sum(result[corpus][view][name] for corpus in corpora) for name in ("python", column))
    return 100 - 100 * now / before


def summary(data: dict[str, Any]) -> str:
    """The Markdown of what the toolchain is to reach, beside what it does, and of the published reductions beside ours."""
    names = [name for name in columns(data)[1:] if not name.startswith(("python+", "compact+"))]
    lines = ["### One line per vocabulary: code only, all corpora together", ""]
    lines += ["| vocabulary | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    for vocabulary, result in data["vocabularies"].items():
        cells = [f"{saved(result, name, 'code', result):.1f}" if _has(result, name) else _NOT_MEASURED for name in names]
        lines.append(f"| {vocabulary} | " + " | ".join(cells) + " |")
    lines += ["", "What was aimed at, on code that was not learned on (percent saved, aim in brackets):", ""]
    lines += ["| vocabulary | corpus | best dense, none learned | +256 | +1,024 | minifier |", "|---|---|---:|---:|---:|---:|"]
    for vocabulary, result in data["vocabularies"].items():
        aims = AIMS.get(vocabulary, (None, None, None))
        for corpus in [name for name in data["corpora"] if name != "HumanEval"]:
            best = max(saved(result, name, "code", [corpus]) for name in ("dense", "dense-newline", "fitted"))
            learned = [saved(result, f"fitted+{budget}", "code", [corpus]) for budget in data["budgets"][1:]]
            cells = [f"{value:.1f}" + (f" ({aim})" if aim else "") for value, aim in zip((best, *learned), aims, strict=False)]
            lines.append(f"| {vocabulary} | {corpus} | {' | '.join(cells)} | {saved(result, 'minifier', 'code', [corpus]):.1f} |")
    lines += ["", "Published reductions of `classic` (Sun et al., ISSTA 2024, whole files) beside ours, whole files and code only:", ""]
    lines += ["| vocabulary | published | packages | standard library | HumanEval | code only, all |", "|---|---:|---:|---:|---:|---:|"]
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
    return f"""# Tokens

Written by `benchmarks/tokens.py`. The first column is the number of tokens of the Python text, the others the percent of
them that is saved. *minifier* is python-minifier with its lossy options off. *fitted* is the dialect that `simpy fit` finds
for the vocabulary, starting from the better dense one; *fitted+N* adds N learned tokens. *python+N* and *compact+N* are the
control: as many tokens learned in the same way on Python as it stands and on `compact`. *Code only* has neither comments nor
docstrings and is compared with what `ast.unparse` writes; *whole files* are compared with the files as they are.

![Percent of tokens saved, code only](tokens.svg)

* Measured on: {sizes}. Packages: {", ".join(data["measured_on"])}.
* Fitted and learned on {data["learned_mb"]:.1f} MB of other packages, code only, tests left out: {", ".join(data["learned_on"])}.
* Grammar and learned tokens count as one each, where `tokenizer_ext.Codec` finds them: on lexeme boundaries, never in
  literals and comments.
* On whole files the minifier takes comments away, which none of the others does: that column does not compare like with like.
* `compact` was measured before it kept the blanks around words, which cost at most 0.1 % of the tokens of Python (`docs/learning.md`).

{summary(data)}
{tables(data)}"""


def readme(data: dict[str, Any]) -> str:
    """The table in README."""
    shown = {"CodeBERT": "codebert", "StarCoder": "starcoder", "CodeLlama": "codellama", "cl100k": "cl100k_base", "o200k": "o200k_base"}
    rows = {
        "vocabulary as it is, `compact`": ["compact"],
        "tokens added, `classic`": ["classic"],
        "tokens added, `dense` or `dense-newline`, whichever saves more": ["dense", "dense-newline"],
        "and 1,024 tokens [learned](docs/learning.md)": ["fitted+1024"],
    }
    lines = [f"| percent of tokens saved | {' | '.join(shown)} |", "| --- |" + " ---: |" * len(shown)]
    for name, found in rows.items():
        results = (data["vocabularies"][vocabulary] for vocabulary in shown.values())
        cells = (f"{max(saved(result, one, 'code', ['packages']) for one in found):.1f}" for result in results)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def chart(data: dict[str, Any], path: Path) -> None:
    """Bars: percent saved on code only, all corpora together."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "simpy"
    from matplotlib import pyplot

    budgets = data["budgets"]
    shown = ["minifier", "classic", "fitted", *(f"fitted+{budget}" for budget in budgets), f"python+{budgets[-1]}"]
    figure, axes = pyplot.subplots(figsize=(10, 4.5))
    for i, column in enumerate(shown):
        saved = []
        for result in data["vocabularies"].values():
            total, now = (sum(corpus["code"][name] for corpus in result.values()) for name in ("python", column))
            saved.append(100 - 100 * now / total)
        places = [at + (i - len(shown) / 2) * 0.8 / len(shown) for at in range(len(saved))]
        axes.bar(places, saved, 0.8 / len(shown), label=column, align="edge")
    axes.set_xticks(range(len(data["vocabularies"])), list(data["vocabularies"]))
    axes.set_ylabel("% of Python's tokens saved, code only")
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
    parser.add_argument("--learn", nargs="+", type=Path, metavar="DIR", help="packages to fit and learn on")
    parser.add_argument("--packages", nargs="+", type=Path, metavar="DIR", help="packages to measure on")
    parser.add_argument("--human-eval", type=Path, metavar="FILE", help="HumanEval.jsonl.gz")
    parser.add_argument("--learn-mb", type=float, default=6.0, help="code to learn on, in all (default 6)")
    parser.add_argument("--measure-mb", type=float, default=0.6, help="code to measure on, for packages and library each (default 0.6)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the code and 16 and 64 learned tokens")
    parser.add_argument("--spellings", action="store_true", help="only the columns that need neither search nor learning")
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
    budgets = (16, 64) if args.quick else BUDGETS
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
        "budgets": budgets,
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
