"""200 chat messages in which Python is mixed with everything else, each as a list of parts: what is converted (``Code``) and what must stay
byte for byte (a text). They are put together from the pieces below, so that every kind of piece meets every other."""

from __future__ import annotations

from dataclasses import dataclass

COUNT = 200


@dataclass(frozen=True)
class Code:
    """A fenced block of Python.

    Attributes:
        code: the program.
        mark: the word after the fence.
        fence: the fence.
        indent: what stands before each line.
        eol: the line break.
    """

    code: str
    mark: str = "python"
    fence: str = "```"
    indent: str = ""
    eol: str = "\n"

    @property
    def opening(self) -> str:
        return f"{self.indent}{self.fence}{self.mark}{self.eol}"

    @property
    def closing(self) -> str:
        return f"{self.indent}{self.fence}{self.eol}"

    def __str__(self) -> str:
        lines = (self.indent + line if line else "" for line in self.code.removesuffix("\n").split("\n"))
        return self.opening + "".join(line + self.eol for line in lines) + self.closing


PROSE = (
    "Why does this fail when `n` is 0? I expected `None`, not an error.\n",
    "# Plan\n\n1. read the file\n2. sort it\n\n> quoted: x = 1\n",
    "Here is what I have so far.\n\n    indented = 'code by Markdown'\n\nThanks!\n",
    "Fix the bug, please: `for i in range(10):` runs eleven times?!\n",
    "Ünïcödé, 漢字 and 🙂 stay; so do tabs\tand  double  blanks, and trailing ones:   \n",
    "The markup `<def_stmt>` and <in> a line with <if_stmt> is only text here.\n",
    "| a | b |\n|---|---|\n| x = 1 | `y` |\n",
    "A fence in a line ``` is no fence ```, nor is this: ```python x = 1```\n",
    "x = 1\ny = 2\nprint(x + y)\n",
    "\n\n\n",
    "- a list\n- with `code`\n  * nested\n\n10) and numbers\n",
    'He said: "import this", and I did.\nSee https://example.com/a?b=c&d=<e>.\n',
    ">>> 1 + 1\n2\n",
)

OTHER = (
    "```javascript\nconst f = (a, b) => { return a < b; };\nfor (const x of xs) console.log(`${x}`);\n```\n",
    "```java\npublic class A {\n    int f(int a) { return a + 1; }\n}\n```\n",
    '```c\n#include <stdio.h>\nint main(void) { printf("%d\\n", 1); return 0; }\n```\n',
    "```cpp\ntemplate <typename T> T max(T a, T b) { return a < b ? b : a; }\n```\n",
    "```go\nfunc f(a int) (int, error) {\n\treturn a, nil\n}\n```\n",
    '```rust\nfn main() { let v: Vec<i32> = vec![1, 2]; println!("{:?}", v); }\n```\n',
    "```ruby\ndef f(a)\n  a + 1\nend\n```\n",
    "```sql\nSELECT a, b FROM t WHERE a < 1;\n```\n",
    '```sh\nfor f in *.py; do python "$f"; done\n```\n',
    '```json\n{"a": [1, 2.50, null], "b": {"c": true}}\n```\n',
    "```\nx = 1\nno mark, no conversion\n```\n",
    "```pycon\n>>> x = 1\n>>> x\n1\n```\n",
    "```python3.12\nx = 1\n```\n",
    "````markdown\nA longer fence holds this:\n```python\nx = 1\n```\n````\n",
    "~~~yaml\na:\n  - b: 1\n~~~\n",
)

EDITS = (
    "```diff\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2\n y = 3\n```\n",
    "```python\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n",
    "app.py\n<<<<<<< SEARCH\ndef f(a):\n=======\ndef f(a, b):\n>>>>>>> REPLACE\n",
    '{"tool": "write_file", "arguments": {"path": "a.py", "content": "x = 1\\ny = 2\\n"}}\n',
    '<tool_call>{"name": "run", "arguments": {"code": "print(1)"}}</tool_call>\n',
    "*** Begin Patch\n*** Update File: a.py\n@@\n-x = 1\n+x = 2\n*** End Patch\n",
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f(1, 2)\nTypeError: f() takes 1 positional argument\n',
)

BROKEN = (
    "```python\ndef f(a:\n    return a\n```\n",
    "```py\nif a:\nprint(a)\n```\n",
    '```python\nprint "hello"\n```\n',
    "```python\nx = (1, 2\n```\n",
    "```python\nfor i in range(3)\n    print(i)\n```\n",
    "```python\n>>> f(1)\n2\n```\n",
    "```python\nx = 'open\n```\n",
    "```py\n  x = 1\n y = 2\n```\n",
    "```python\nclass A:\n    def f(self):\n    ...\n  more\n```\n",
    "```python\n\n```\n",
    "```python\n```\n",
    "```python\nreturn a b\n```\n",
    "```python\n@decorated\n```\n",
)

PROGRAMS = (
    "x = 1\n",
    "def f(a, b=1):\n    return a < b\n",
    "import os\nimport sys\n\n\nfor name in os.listdir(sys.argv[1]):\n    print(name)\n",
    'class A(B):\n    """Doc.\n\n    ``x`` <def_stmt>\n    """\n\n    x: int = 0\n\n    def f(self) -> None:\n        pass\n',
    "s = \"<def_stmt>f<block_start>\"  # a comment with <return>\nt = 'it''s'\n",
    "try:\n    f()\nexcept (A, B) as e:\n    raise C from e\nelse:\n    g()\nfinally:\n    h()\n",
    "def g(*args, key=None, **kwargs):\n    yield from (a for a in args if a)\n    return {**kwargs, 'key': key}\n",
    "with open('a') as f, open('b') as g:\n    g.write(f.read())\n",
    "text = '''one\n\n    two\n  three'''\nprint(f'{text!r:>{10}} {1 + 1}')\n",
    "async def main():\n    async with a as b:\n        await b\n    return [x async for x in b]\n",
    "@cache\n@other(1)\ndef f(n: int) -> int:\n    return n if n < 2 else f(n - 1) + f(n - 2)\n",
    "while True:\n    if a and not b or c:\n        break\n    elif d is not None:\n        continue\n    a, *b = c\n",
    "# only a comment\n",
    "match point:\n    case (0, y):\n        print(y)\n    case Point(x=0) | None:\n        pass\n    case _:\n        raise ValueError\n",
    "lambda x, /, y, *, z=1: (x, y, z)\nassert x == 1, 'no'\ndel x, y\nglobal g\n",
    "a = [\n    1,  # one\n    # two\n    2,\n]\nb = a[1:2, ::-1]\nc = -x ** -y @ z\n",
    "if a:\n\tb = 1\nelse:\n\tif c:\n\t\td = 0xFF_00 + 1e-3j\n",
    "print('hi'); x = 1; y = 2\n",
    "def f():\n    def g():\n        nonlocal_x = 1\n        return nonlocal_x\n    return g\n\n\nprint(f()())\n",
    "names = {n: len(n) for n in {'a', 'b'}}\nif (n := len(names)) > 1:\n    names.update(x=n)\n",
    "r = rb'\\d+\\\\' + b\"\\x00\"\nu = u'unicode'\nv = 'ä漢🙂'\n",
)

_FENCES = (
    ("python", "```", ""),
    ("py", "```", ""),
    ("python", "~~~", ""),
    ("Python", "````", ""),
    ("python title=a.py", "```", ""),
    ("py", "```", "  "),
)


def messages() -> list[list[str | Code]]:
    """The messages. Only the last part of a message may be a block without an end."""
    return [_message(i) for i in range(COUNT)]


def _message(i: int) -> list[str | Code]:
    mark, fence, indent = _FENCES[i % len(_FENCES)]
    first = Code(PROGRAMS[i % len(PROGRAMS)], mark, fence, indent)
    second = Code(PROGRAMS[(7 * i + 3) % len(PROGRAMS)])
    prose, other = PROSE[i % len(PROSE)], OTHER[i % len(OTHER)]
    edit, broken = EDITS[i % len(EDITS)], BROKEN[i % len(BROKEN)]
    item = "- an item:\n\n" if indent else ""
    shapes: tuple[list[str | Code], ...] = (
        [prose, item, first, "\n", other],
        [other, item, first, prose, broken, second],
        [prose, broken, edit],
        [edit, "\n", item, first, PROSE[(i + 5) % len(PROSE)]],
        [broken, other, prose, second, "\n", edit],
        [item, first, second, "and the last block has no end:\n```python\n" + PROGRAMS[i % len(PROGRAMS)]],
        [prose, "\r\n", Code(PROGRAMS[(3 * i) % len(PROGRAMS)], eol="\r\n"), "done\r\n"],
        [prose, edit, other],
    )
    return [f"Message {i}.\n", *(part for part in shapes[i % len(shapes)] if part != "")]
