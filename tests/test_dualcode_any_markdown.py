"""Any Markdown: it is converted once and the same way, streams as the whole does, and what is not code stays as it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dualcode import MixedText
from tests.helpers import ALL, dump, pieces_of

LINES = st.one_of(
    st.sampled_from(
        [
            *(
                "```py",
                "```python",
                "```",
                "```simpy",
                "~~~ py",
                "~~~",
                "````py",
                "````",
                "  ```py",
                "- ```py",
                "1. ```",
                "```js",
                "> ```py",
                "```py title",
            ),
            *(
                "x = 1",
                "def f(a):",
                "    return a<b",
                "if a:",
                "not python",
                "<return>a<l>b",
                "<def_stmt>f a<block_start>",
                "`x = 1`",
                "",
                "  ",
                "\t",
            ),
            *(
                "x='```'",
                "# ```",
                "'''",
                "<block_end>",
                "import os",
                "print('hi')",
                "é ü",
                "\u202e",
                "a\rb",
                "{",
                "x=1<line_sep>y=2",
                "1 < 2 > 3",
            ),
        ]
    ),
    st.text(max_size=12),
)
MARKDOWN = st.lists(LINES, max_size=14).flatmap(lambda lines: st.sampled_from(("\n", "\n", "\r\n")).map(lambda end: end.join(lines)))


@given(MARKDOWN, st.sampled_from(ALL), st.booleans())
def test_markdown_is_converted_once_and_the_same_way(text: str, dialect: str, bare: bool) -> None:
    mixed = MixedText(dialect, bare=bare)
    sent = mixed.to_model(text)
    assert mixed.to_model(text) == sent
    if not sent.parts:
        assert sent.text == text
    again = mixed.to_model(sent.text)
    if again.text != sent.text:  # SimPy that is Python as well, such as x=1, is converted again: to itself, from then on
        assert mixed.to_model(again.text).text == again.text
    person = mixed.to_person(text)
    assert mixed.to_person(text) == person
    if not person.parts:
        assert person.text == text


@given(MARKDOWN, st.sampled_from(ALL), st.integers(1, 9))
def test_markdown_streams_as_the_whole(text: str, dialect: str, length: int) -> None:
    for bare in (False, True):
        mixed = MixedText(dialect, bare=bare)
        stream = mixed.reply_stream()
        assert "".join([*map(stream.feed, pieces_of(text, length)), stream.close()]) == mixed.to_person(text).text


@given(MARKDOWN, st.sampled_from(ALL))
def test_what_is_no_code_is_byte_for_byte_the_same(text: str, dialect: str) -> None:
    """A known block between two texts: what stands before it and after it does not change."""
    before = text.replace("`", "'").replace("~", "-").replace("<", "(") + "\n\n"
    block = "```python\nif a < b:\n    c = d[1]\n```\n"
    sent = MixedText(dialect).to_model(before + block + before)
    if sent.parts:  # not in a list item that the text has opened, where the block would be indented code
        assert sent.text.startswith(before)
        assert sent.text.endswith("```\n" + before)
        back = MixedText(dialect).to_person(sent.text).text
        assert dump(back[len(before) + len("```python\n") :].split("```")[0]) == dump("if a < b:\n    c = d[1]\n")
        assert back.startswith(before)
        assert back.endswith("```\n" + before)
