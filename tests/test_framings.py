"""How Python stands in a text: each framing is found, the code in it is converted, and every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dualcode import MixedText
from dualcode.conversion.fences import Fence, Prose
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.wrappers import Wrappers
from tests.helpers import ALL, GRAMMATICAL, dump, pieces_of
from transpiler import encode
from transpiler.views import strip_numbers

CODE = 'import os\n\ndef f(a, b):\n    """D.\n\n    ```python\n    x = f( [1, 2] )\n    ```\n    """\n    return [a, b]\n\nx = f(1, [2])\n'
METHOD = "    def f(self, a):\n        # why\n        return [a, 1]\n\n    def g(self):\n        return (self)\n"
RANGE = "            return [a, b]\n        x = (1)\n    else:\n        y = [2, 3]\n\n    def g(self):\n"
LABELS = (
    "python",
    "py",
    "Python3",
    "py3",
    "ipython",
    "ipython3",
    "{.python}",
    "{python}",
    "python:a.py",
    'py title="a.py"',
    "1:9:src/a.py",
    "a.pyi",
)
OTHER_LABELS = ("pycon", "python2", "python-repl", "text", "js", "{.js}", "a.pyc", "happy", "diff")


def gutter(code: str, form: str = "{:6}\t", first: int = 1) -> str:
    return "".join(f"{form.format(number)}{line}" for number, line in enumerate(code.splitlines(keepends=True), first))


def quoted(code: str) -> str:
    return "".join(f"> {line}" if line.strip() else f">{line}" for line in code.splitlines(keepends=True))


# what stands before and after the code, and how it is written
FRAMINGS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    **{f"fence {label}": (f"See:\n\n````{label}\n", "````\nrest\n", str) for label in LABELS},
    "under a path": ("src/a.py\n````\n", "````\nrest\n", str),
    "under a path in bold": ("**src/a.py**:\n````\n", "````\nrest\n", str),
    "in a quote": ("> See:\n> ````py\n", "> ````\nrest\n", quoted),
    "in a list": ("- a\n\n  ````py\n", "  ````\nrest\n", lambda code: re.sub(r"(?m)^(?=.)", "  ", code)),
    "file by path": ('<file path="src/a.py">\n', "</file>\nrest\n", str),
    "file by name": ("<file lines='all' name='a.py'>\n", "</file>\nrest\n", str),
    "document": ("<document index=\"1\">\n<source>a.py</source>\n<document_content>\n", "</document_content>\n</document>\n", str),
    "content with a gutter": (
        '<file><path>a.py</path>\n<content lines="1-14">\n',
        "</content>\n</file>\n",
        lambda code: gutter(code, "{:2} | "),
    ),
    "path and content on one line": ("<file><path>src/a.py</path><content>\n", "</content></file>\nrest\n", str),
    "document on one line": (
        '<document index="1"><source>a.py</source><document_content>\n',
        "</document_content></document>\n</documents>\nrest\n",
        str,
    ),
    "documents on one line": (
        '<documents><document index="2"> <source>a.py</source> <document_content>',
        "</document_content> </document> </documents>\n",
        str,
    ),
    "content in a file": ('<file path="a.py"><content>\n', "</content></file>\n", str),
    "content below a file": ('<file path="a.py">\n  <content>\n', "  </content>\n</file>\n", str),
    "character data": ("<file>\n<name>a.py</name>\n<content><![CDATA[", "]]></content>\n</file>\n", str),
    "the path with a range": ('<snippet id="3" file="a.py:10-20">\n', "</snippet>\n", str),
    "cat -n": ("The result of cat -n:\n", "<system-reminder>\nrest\n", gutter),
    "cat -n in a fence": ("````py\n", "````\n", gutter),
    "arrow": ("", "rest\n", lambda code: gutter(code, "{:6}→")),
    "colon": ("", "rest\n", lambda code: gutter(code, "{}: ", 120)),
    "content with a remark": (
        "<path>/src/a.py</path>\n<type>file</type>\n<content>\n",
        "\n(End of file - total 14 lines)\n</content>",
        lambda code: gutter(code, "{}: "),
    ),
    "printed under a head": ("Chunk ID: b406\nWall time: 0.1 seconds\nProcess exited with code 0\nOutput:\n", "", str),
    "numbered under a head": ("Exit code: 0\nOutput:\n", "", gutter),
    "printed behind a word": ("Command: cat a.py\nDirectory: (root)\nOutput: ", "Error: (none)\nExit Code: 0\nSignal: (none)", str),
    "printed before remarks": ("", "[Current working directory: /src]\n[Command finished with exit code 0]", str),
}  # fmt: skip


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("name", FRAMINGS)
def test_the_code_of_each_framing_is_converted_and_nothing_else(name: str, dialect: str) -> None:
    before, after, write = FRAMINGS[name]
    text = before + write(CODE) + after
    sent = MixedText(dialect).to_model(text)
    assert (sent.parts, sent.notes) == (1, ())
    assert sent.text.startswith(before)
    assert sent.text.endswith(after)
    short = encode(CODE, dialect=dialect)
    assert [(piece.python, piece.sent.rstrip("\n")) for piece in sent.shortened] == [(CODE, short.rstrip("\n"))]
    body = sent.text[len(before) : len(sent.text) - len(after)]
    if name != "in a quote":
        assert strip_numbers(body.replace("  def", "def"), dialect=dialect).strip() == short.strip() or "list" in name
    assert MixedText(dialect).to_model(text) == sent


@pytest.mark.parametrize("label", [*LABELS, "simpy"])
def test_answers_are_converted_by_the_same_labels(label: str) -> None:
    for before, margin in (("", ""), ("> ", "> "), ("- ", "  ")):
        answer = f"{before}```{label}\n{margin}<if_stmt>a<block_start>b=1<block_end>\n{margin}```\nrest\n"
        back = MixedText("classic").to_person(answer)
        assert back.text == f"{before}```{label.replace('simpy', 'python')}\n{margin}if a:\n{margin}    b = 1\n{margin}```\nrest\n"
        for length in (1, 2, 5):
            stream = MixedText("classic").reply_stream()
            assert "".join([*map(stream.feed, pieces_of(answer, length)), stream.close()]) == back.text


@pytest.mark.parametrize("label", OTHER_LABELS)
def test_other_labels_are_not_those_of_python(label: str) -> None:
    text = f"```{label}\nx = [1, 2]\n```\n"
    for dialect in ALL:
        assert MixedText(dialect).to_model(text).text == MixedText(dialect).to_person(text).text == text


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("text", [CODE, '"""a\n~~~~\n"""\nx = [1, 2]\n', '"""Doc.\n\n```python\nx = f( [1, 2] )\n```\n"""\ny = [1, 2]\n'])
def test_a_file_is_python_as_a_whole_before_it_is_markdown(text: str, bare: bool) -> None:
    for dialect in ALL:
        sent = MixedText(dialect, bare=bare).to_model(text)
        assert sent.text == encode(text, dialect=dialect)
        assert [piece.python for piece in sent.shortened] == [text]


@pytest.mark.parametrize("printed", ["ok\n", "x = 1\n", "1 passed\nclass A: no\n", "{'a': [1, 2]}\n", ""])
def test_other_things_that_a_command_prints_stay(printed: str) -> None:
    for text in (
        f"Exit code: 0\nOutput:\n{printed}",
        f"Output: {printed}Error: (none)\n",
        f"{printed}[The command completed with exit code 0.]",
    ):
        for dialect in ALL:
            assert MixedText(dialect).to_model(text).text == text


def test_what_is_no_file_and_stands_bare_is_noted() -> None:
    sent = MixedText("compact").to_model("x = '''\n```py\ny = [1, 2]\n```\n'''\n")
    assert (sent.parts, [str(note) for note in sent.notes]) == (0, ["line 1: not converted: it may be Python, and nothing marks it"])


OPENINGS = (
    '<file path="a.py">\n',
    "<file><path>a.py</path><content>\n",
    '<file path="a.py">\n\n\n<content>\n',
    "<content><![CDATA[\n",
    "<source>a.py</source>\n",
)


class Counted(list[str]):
    """Lines that count how often one is looked at."""

    looks = 0

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        self.looks += len(found) if isinstance(at, slice) else 1
        return found


@pytest.mark.parametrize("end", ["", "</file>\n", "</content></file>\n", "x = 1\n</content>\n" * 1000, "]]></content>\n"])
@pytest.mark.parametrize("opening", OPENINGS)
def test_markup_is_read_in_linear_time(opening: str, end: str) -> None:
    lines = Counted((opening * 1000 + end).splitlines(keepends=True))
    wrappers, at = Wrappers(lines), 0
    while at < len(lines):
        found = wrappers.opens(at)
        at += found.lines if found else 1
    assert lines.looks < 8 * len(lines)


# --------------------------------------------------------------------------------------------------------- fragments


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize("indent", ["    ", "        ", "\t", "  "])
def test_a_fragment_keeps_its_indentation_both_ways(dialect: str, indent: str) -> None:
    code = METHOD.replace("    ", indent)
    mixed = MixedText(dialect)
    sent = mixed.to_model(f"```python\n{code}```\n")
    assert sent.parts == 1 and sent.text.startswith(f"```python\n{indent}")
    back = mixed.to_person(sent.text).text.removeprefix("```python\n").removesuffix("```\n")
    assert dump(f"class A:\n{back}") == dump(f"class A:\n{code}")
    assert back.startswith(f"{indent}def f(self, a):\n{indent}    # why\n")
    for length in (1, 3):
        stream = mixed.reply_stream()
        assert "".join([*map(stream.feed, pieces_of(sent.text, length)), stream.close()]) == mixed.to_person(sent.text).text


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_a_fragment_in_several_blocks_stays_in_dialects_without_lines(dialect: str) -> None:
    text = f"```python\n{RANGE}```\n"
    sent = MixedText(dialect).to_model(text)
    assert (sent.text, len(sent.notes)) == (text, 1)


def test_a_range_of_lines_is_converted_in_its_blocks() -> None:
    sent = MixedText("compact").to_model(f"<file path='a.py'>\n{gutter(RANGE, first=120)}</file>\n")
    code = "            return [a,b]\n        x=1\n    else:\n        y=[2,3]\n125:    def g(self):\n"
    assert sent.text == f"<file path='a.py'>\n{code}</file>\n"
    assert MixedText("compact", numbers=False).to_model(gutter(RANGE)).text == strip_numbers(code)


def test_a_range_that_ends_inside_a_string_stays() -> None:
    text = gutter("x = [1, 2]\n'''\ny = [1, 2]\n")
    assert MixedText("compact").to_model(text).text == text


# ------------------------------------------------------------------------------------------------- prefixes, both ways


def test_an_answer_goes_on_in_the_block_that_the_request_has_opened() -> None:
    for dialect in ALL:
        converter = MessageConverter(dialect)
        for begun in ("Sure:\n```python\n", "> q\n\n~~~ py3\n\n"):
            found = converter.to_model([{"role": "user", "content": "x"}, {"role": "assistant", "content": begun}])
            fence = "```" if "```" in begun else "~~~"
            code = encode("if a:\n    b = [1, 2]\n", dialect=dialect).strip()
            answer = f"{code}\n{fence}\nDone.\n"
            stream = converter.reply_stream(found.begun)
            assert stream.feed(answer) + stream.close() == f"if a:\n    b = [1, 2]\n{fence}\nDone.\n"


@pytest.mark.parametrize("begun", ["Sure:\n```python\nx = (", "```python\nx = 1\n"])
def test_an_answer_that_goes_on_with_code_is_noted(begun: str) -> None:
    converter = MessageConverter("classic")
    found = converter.to_model([{"role": "assistant", "content": begun}])
    stream = converter.reply_stream(found.begun)
    assert stream.feed("1)\n```\n") + stream.close() == "1)\n```\n"
    assert len(stream.notes) == 1


def test_an_answer_in_plain_python_stays_where_it_could_be_read_both_ways() -> None:
    text = "```python\nprint(a -b)\nlog('a' 'b')\n```\n"
    for dialect in GRAMMATICAL:
        for plain in (text, "```python\nprint(a -b)\n```\n"):
            back = MixedText(dialect).to_person(plain)
            assert (back.text, len(back.notes)) == (plain, 1)
        python = "```python\nprint(a, -b)\n```\n"
        sent = MixedText(dialect).to_model(python)
        assert MixedText(dialect).to_person(sent.text).text == python


def test_a_string_that_spells_a_token_is_not_one() -> None:
    text = '```python\nprint """\\"""<if_stmt>"""\n```\n'
    assert MixedText("classic").to_person(text).text == text


# ------------------------------------------------------------------------------------------------ what is not Python

NOT_PYTHON = (
    "hello world\nthis is (really) fine\n",
    "import duties",
    "1. foo\n2. bar\n3. baz\n",
    "1: foo = bar\n2: b = c\n3: d = e\n",
    '{"a": [1, 2], "code": "def f():\\n    return [1, 2]"}',
    '{\n  "a": "```python\\nx = [1, 2]\\n```"\n}',
    "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-x = [1, 2]\n+x = [2, 3]\n def f(a, b):\n",
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f(1, 2)\nTypeError: f() takes 1\n',
    ">>> f( 1 )\n1\n>>> x = [1, 2]\n",
    "<html>\n<code>x = [1, 2]</code>\n</html>\n",
    "<script>\nx = [1, 2]\n</script>\n",
    '<file path="a.js">\nx = [1, 2]\n</file>\n',
    '<file path="a.py">\nx = [1, 2]\n',
    "<file><path>a.js</path><content>\nx = [1, 2]\n</content></file>\n",
    "<file><path>a.py</path><content>\nx = [1, 2]\n</file>\n",
    "<file><path>a.py</path><diff>\nx = [1, 2]\n</diff></file>\n",
    "<path>a.py</path>\n1\n2\n3\n4\n<content>\nx = [1, 2]\n</content>\n",
    "<file><path>a.py</path><size>1</size><content></content></file>\n",
    '<file path="a.py">\nif a &lt; b:\n    x = [1, 2]\n</file>\n',
    "script: |\n  x = [1, 2]\n  def f(a, b): pass\nkey: value\n",
    "[tool.x]\na = [1, 2]\nb = 'c'\n",
    "a = [1, 2]\nb = 'c'\n",
    "     1\t[tool.x]\n     2\ta = [1, 2]\n     3\tb = 'c'\n",
    "     1\tconst x = f(1, 2);\n     2\tx = [1, 2];\n     3\t}\n",
    "     1\tINFO: x = [1, 2]\n     2\tWARN: y\n     3\tERR: z\n",
    "```python\nx = [1, 2]\n",
    "````\n```python\nx = [1, 2]\n```\n````\n",
    "~~~\n```python\nx = [1, 2]\n```\n",
    "```python\nhello there\n```\n",
    "a.py\n```\nhello, world\n```\n",
    "a.py\n```python\n<<<<<<< SEARCH\nx = [1, 2]\n=======\nx = 2\n>>>>>>> REPLACE\n```\n",
    "run src/a.py\n```\nx = [1, 2]\n```\n",
    "12:def f(a, b):\n17:    return [a, b]\n",
    '    10\tx = [1, 2]\n    11\tSee also.\n    12\t"""\n    13\ty = [1, 2]\n',
    "1:foo( a, b )\n2:bar( c, d )\n3:baz( e )\n",
    "7: foo( a, b )\n8: bar( c, d )\n9: baz( e )\n",
    "|a|x = [1, 2]|\n",
    "x = '\0'\n",
)


@pytest.mark.parametrize("text", NOT_PYTHON)
def test_what_is_not_python_stays_byte_for_byte(text: str) -> None:
    messages = [{"role": role, "content": text} for role in ("user", "tool", "assistant")]
    for dialect in ALL:
        converter = MessageConverter(dialect)
        assert converter.to_model(messages).messages == messages
        assert converter.mixed.to_person(text).text == text


# ------------------------------------------------------------------------------------------- whole conversations

TEXTS = st.sampled_from(
    ["hello", CODE, f"```py\n{CODE}```\n", gutter(METHOD), "a.py\n```\nx = [1, 2]\n```\n", '{"a": 1}', "```py\ndef (\n```"]
)
MESSAGES = st.lists(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["user", "assistant", "tool", "system"]), TEXTS),
    max_size=6,
)


@given(MESSAGES, MESSAGES)
def test_a_conversation_that_grows_keeps_its_bytes(before: list[dict[str, str]], after: list[dict[str, str]]) -> None:
    converter, other = (MessageConverter("compact", verify=False) for _ in range(2))
    first = converter.to_model(before)
    grown = converter.to_model([*before, *after])
    assert grown.messages[: len(before)] == first.messages
    assert grown.shortened[: len(first.shortened)] == first.shortened
    assert other.to_model([*before, *after]).messages == grown.messages


# --------------------------------------------------------------------------------------------- the rules of Markdown

MARGINS = st.sampled_from(["", "", "", "  ", "   ", "> ", ">", "- ", "1. ", "> > ", "- > ", "> - "])
BODIES = st.sampled_from(
    [
        "```py",
        "```",
        "~~~",
        "```` python",
        "````",
        "```js x",
        "~~~ py",
        "x = 1",
        "- a",
        "2. c",
        "> q",
        ">",
        "",
        "text",
        "# h",
        "---",
        "* * *",
        "-",
        "===",
    ]
)
MARKDOWN = st.lists(st.builds(str.__add__, MARGINS, BODIES), max_size=9).map(lambda lines: "".join(f"{line}\n" for line in lines))
COMMONMARK = MarkdownIt("commonmark", {"html": False})


def fenced(text: str) -> list[tuple[str, str]]:
    """Info and content of each fenced block."""
    prose, fence = Prose(), None
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines(keepends=True):
        inner = None if fence is None else fence.strip(line)
        if fence is not None and inner is not None:
            assume(in_item(fence, line))
            if fence.closes(line):
                fence = None
            else:
                found[-1][1].append(inner)
            continue
        fence = prose.opens(line)
        if fence is not None:
            found.append((fence.info, []))
    return [(info, "".join(lines)) for info, lines in found]


def in_item(fence: Fence, line: str) -> bool:
    """Whether a line is indented as the items of lists ask that its block stands in: where it is not, we are more lenient."""
    for part in fence.margin:
        if part == ">":
            line = re.sub(r"^ {0,3}> ?", "", line)
        elif line.strip() and not line.startswith(part):
            return False
        else:
            line = line[len(part) :]
    return True


@given(MARKDOWN)
def test_blocks_are_those_of_commonmark(text: str) -> None:
    ours = fenced(text)
    assert ours == [(token.info.strip(), token.content) for token in COMMONMARK.parse(text) if token.type == "fence"]


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("\ufeffdef f(a, b):\n    return a\n\nx = 1\n", "1:def f(a,b):return a\nx=1\n"),
        ("def f(a, b):\r    return a\n\nx = 1\ny = 2\n", "def f(a,b):return a\nx=1\ny=2\n"),
    ],
)
def test_a_gutter_beside_marks_and_other_line_breaks(code: str, sent: str) -> None:
    numbered = "".join(f"{number:6}\t{line}\n" for number, line in enumerate(code.removesuffix("\n").split("\n"), 1))
    assert MixedText("compact").to_model(numbered).text == sent
