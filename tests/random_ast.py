"""Random programs, built as ``ast`` trees from the abstract grammar that the running Python documents in its node classes.

So a new construct of Python is generated as soon as the tests run on a Python that has it. What the abstract grammar does
not say (a target is no call, a pattern's key is a literal) is in ``_FIXES``. Spelling the program in other ways is the
job of ``tests.random_layout``.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

NAMES = (
    *("a", "b", "c", "x", "y", "self", "cls", "T", "_", "__p", "naïve", "π", "变量", "f", "r", "b", "u", "t", "rb", "l", "g", "e", "j"),
    *("match", "case", "type", "print", "exec", "def_stmt", "block_end", "comment", "debug", "line_sep", "async_", "None_", "nonlocal_"),
)

# Spellings that ast.unparse would not write; an identifier that stands for one is replaced in the text.
_LITERALS = (
    *("0xFF", "0o17", "0B1_0", "1_000", "00", "1.", ".5", "1e-5", "1E1_0", "1_0.0j", "5J", "9.e9"),
    *(
        "'it\\'s'",
        '"\\""',
        "r'\\d'",
        "rb'\\x'",
        'Rb"\\\\"',
        "b'\\x00'",
        "u'kind'",
        "''",
        '""',
        "''''a'b'''",
        '"""two\nlines"""',
        "r'''\\\n'''",
    ),
    *(
        "'a' \"b\"",
        "'a' r'\\b' '''c'''",
        "'<def_stmt>'",
        '"<block_end><line_sep>"',
        "'<comment># no comment\\n'",
        "'<debug>'",
        "'# no comment'",
    ),
    *(
        "f'{{}}'",
        "f'a{b}c'",
        "f'{a!r:>{b}}'",
        "f'{ {1: 2}[1] }'",
        "f'{a = }'",
        "f'{a=!s:^{b}.{c}}'",
        "f'{a, b}'",
        "rf'\\{a}\\d'",
        "f'{(lambda: a)()}'",
    ),
    *(
        "f'<def_stmt>{a}<comment>'",
        "f'{a=}<debug>'",
        "f'{a:<def_stmt>}'",
        "f'#{a}#'",
        "f'''{\na\n}'''",
        "f'\\N{DIGIT ONE}{a}'",
        "f'{a:%H:%M}'",
    ),
    *("f'{a}' 'b' f\"{c}\"", "F\"{a['b']}\"", "fR'{a}\\{b}'", "f'{a:{b}{c}}'", "f'{*a,}'", "f'{(a := b)}'", "f'{a:=5}'"),
    # PEP 701, for the Pythons that read it
    *(
        "f'{'a'}'",
        "f'{f'{f'{a}'}'}'",
        "f'{'\\n'.join(a)}'",
        "f'{a # comment\n}'",
        "f'''{a  # }'''\n!r}'''",
        'f\'{a["b"]:{"c"}}\'',
        "f'{'' if a else f'{b}'}'",
    ),
)


def is_python(text: str) -> bool:
    """Whether the running Python reads a program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


LITERALS = tuple(filter(is_python, _LITERALS))
_PLACEHOLDER = re.compile(r"\bLITERAL(\d+)\b")

Fields = list[tuple[str, str, str]]


def _fields_of(base: type) -> dict[str, Fields]:
    """Class name -> (type, ``*`` or ``?`` or nothing, name) of each field, from the docstring of a sum type."""
    found: dict[str, Fields] = {}
    for name, body in re.findall(r"(\w+)(?:\(([^)]*)\))?", (base.__doc__ or "").split("=", 1)[-1]):
        cls = getattr(ast, name, None)
        if isinstance(cls, type) and issubclass(cls, base) and cls is not base:
            found[name] = [(kind, mark, field) for kind, mark, field in re.findall(r"(\w+)([*?]?) (\w+)", body)]
    return found


STATEMENTS = _fields_of(ast.stmt)
# Parts of other expressions, and what has a method of its own below.
EXPRESSIONS = {
    k: v for k, v in _fields_of(ast.expr).items() if k not in {"Slice", "Starred", "FormattedValue", "Interpolation", "TemplateStr"}
}
PATTERNS = {k: v for k, v in _fields_of(ast.pattern).items() if k != "MatchStar"} if hasattr(ast, "pattern") else {}


class Programs:
    """Builds programs from one source of randomness.

    Args:
        random: where choices come from; Hypothesis's own makes programs that it can shrink.
        size: how many nodes a statement of the program has, about.
    """

    def __init__(self, random: Random, size: int = 30) -> None:
        self.random = random
        self.size = size
        self.left = size

    def program(self) -> str:
        """The text of a program that the running Python reads."""
        statements = []
        for _ in range(self.random.randint(1, 4)):
            self.left = self.size
            text = self.text(self.statement(0))
            if text is not None:
                statements.append(text)
        return "\n".join(statements) + "\n"

    def text(self, node: ast.AST) -> str | None:
        """The text of a node, or ``None`` where it is no Python after all."""
        try:
            text = ast.unparse(ast.fix_missing_locations(node))
        except (ValueError, TypeError, AttributeError):  # an f-string that this Python cannot spell
            return None
        text = _PLACEHOLDER.sub(lambda match: LITERALS[int(match[1])], text)
        return text if is_python(text) else None

    # --------------------------------------------------------------------------------------------------- the engine

    def node(self, name: str, fields: Fields, depth: int) -> Any:
        """A node of a class, field by field."""
        values = {field: self.field(kind, mark, field, depth + 1) for kind, mark, field in fields}
        node = getattr(ast, name)(**values)
        fix = _FIXES.get(name)
        if fix is not None:
            fix(self, node, depth + 1)
        return node

    def field(self, kind: str, mark: str, field: str, depth: int) -> Any:
        """A value of a field of the abstract grammar."""
        if mark == "?":
            return self.value(kind, depth) if self.chance(0.4) else None
        if mark == "*":
            least = field == "body" or kind in ("match_case", "withitem", "alias", "identifier", "comprehension")
            most = 2 if kind in ("stmt", "comprehension") else 3
            return [self.value(kind, depth) for _ in range(self.count(int(least), most))]
        return self.value(kind, depth)

    def value(self, kind: str, depth: int) -> Any:
        """A value of a type of the abstract grammar."""
        return _VALUES[kind](self, depth)

    def chance(self, probability: float) -> bool:
        """True as often as said; never once the program is big enough."""
        return self.left > 0 and self.random.random() < probability

    def count(self, least: int, most: int) -> int:
        """How many children: few of them once the program is big enough."""
        return self.random.randint(least, most) if self.left > 0 else least

    def pick(self, choices: Any) -> Any:
        """One of some choices."""
        return self.random.choice(list(choices))

    # ------------------------------------------------------------------------------------------------------- values

    def statement(self, depth: int) -> ast.stmt:
        self.left -= 1
        names = [name for name in STATEMENTS if depth < 4 or "body" not in str(STATEMENTS[name])]
        name = self.pick(names) if self.left > 0 else "Pass"
        node: ast.stmt = self.node(name, STATEMENTS[name], depth)
        return node

    def expression(self, depth: int) -> ast.expr:
        self.left -= 1
        if self.left <= 0 or self.random.random() < 0.25 + depth / 10:
            return self.pick((self.name, self.constant))(depth)  # type: ignore[no-any-return]  # one of two methods
        name = self.pick(EXPRESSIONS)
        if name == "JoinedStr":
            return self.joined_string(depth)
        node: ast.expr = self.node(name, EXPRESSIONS[name], depth)
        return node

    def starred(self, depth: int) -> ast.expr:
        return ast.Starred(self.expression(depth), ast.Load()) if self.chance(0.2) else self.expression(depth)

    def identifier(self, depth: int) -> str:
        return str(self.pick(NAMES))

    def name(self, depth: int) -> ast.Name:
        return ast.Name(self.identifier(depth), ast.Load())

    def constant(self, depth: int) -> ast.expr:
        if self.random.random() < 0.5:
            return ast.Name(f"LITERAL{self.random.randrange(len(LITERALS))}", ast.Load())
        return ast.Constant(
            self.pick((None, True, False, ..., 0, 1, 1.5, 1e1000, 2j, "s", "it's", "a\nb", b"\x00", "<block_start>", "\N{BULLET}"))
        )

    def joined_string(self, depth: int) -> ast.expr:
        values: list[ast.expr] = []
        for _ in range(self.count(1, 3)):
            if self.random.random() < 0.4:
                values.append(ast.Constant(self.pick(("a", "{", "}", " # ", "<comment>", "\\", "\n", "'"))))
            else:
                spec = ast.JoinedStr([ast.Constant(self.pick((">10", "x", " d")))]) if self.chance(0.3) else None
                values.append(ast.FormattedValue(self.expression(depth + 1), self.pick((-1, 97, 114, 115)), spec))
        node = ast.JoinedStr(values)
        return node if self.text(ast.Expr(node)) is not None else self.constant(depth)

    def target(self, depth: int) -> ast.expr:
        if self.chance(0.2):
            elements = [self.target(depth + 1) for _ in range(self.count(1, 3))]
            if self.chance(0.3):
                elements[0] = ast.Starred(self.single_target(depth), ast.Store())  # tree-sitter-python knows no star before brackets here
            return self.pick((ast.Tuple, ast.List))(elements, ast.Store())  # type: ignore[no-any-return]  # one of two classes
        return self.single_target(depth)

    def single_target(self, depth: int) -> ast.expr:
        if self.chance(0.3):
            name = self.pick(("Attribute", "Subscript"))
            node: ast.expr = self.node(name, EXPRESSIONS[name], depth)
            return node
        return self.name(depth)

    def index(self, depth: int) -> ast.expr:
        if self.chance(0.3):
            return ast.Tuple([self.index_element(depth) for _ in range(self.count(1, 3))], ast.Load())
        return self.index_element(depth)

    def index_element(self, depth: int) -> ast.expr:
        if self.chance(0.4):
            return ast.Slice(*(self.expression(depth) if self.chance(0.5) else None for _ in range(3)))
        return self.expression(depth)

    def dotted_name(self, depth: int) -> Any:
        node: Any = self.name(depth)
        while self.chance(0.4):
            node = ast.Attribute(node, self.identifier(depth), ast.Load())
        return node

    def module_name(self, depth: int) -> str:
        return ".".join(self.identifier(depth) for _ in range(self.count(1, 3)))

    def arguments(self, depth: int, annotated: bool = True) -> ast.arguments:
        names = [f"{name}{i}" for i, name in enumerate(self.random.sample(NAMES, 7))]

        def arg(star: bool = False) -> ast.arg:
            annotation = self.expression(depth) if annotated and self.chance(0.3) else None
            return ast.arg(names.pop(), annotation)

        positional_only = [arg() for _ in range(self.count(0, 2))] if self.chance(0.3) else []
        args = [arg() for _ in range(self.count(0, 2))]
        defaults = [self.expression(depth) for _ in range(self.count(0, len(positional_only) + len(args)))]
        keyword_only = [arg() for _ in range(self.count(0, 2))] if self.chance(0.4) else []
        return ast.arguments(
            posonlyargs=positional_only,
            args=args,
            vararg=arg() if self.chance(0.3) else None,
            kwonlyargs=keyword_only,
            kw_defaults=[self.expression(depth) if self.chance(0.4) else None for _ in keyword_only],
            kwarg=arg() if self.chance(0.3) and names else None,
            defaults=defaults,
        )

    def alias(self, depth: int) -> ast.alias:
        return ast.alias(self.identifier(depth), self.identifier(depth) if self.chance(0.3) else None)

    def with_item(self, depth: int) -> ast.withitem:
        return ast.withitem(self.expression(depth), self.target(depth) if self.chance(0.5) else None)

    def keyword(self, depth: int) -> ast.keyword:
        return ast.keyword(self.identifier(depth) if self.chance(0.8) else None, self.expression(depth))

    def comprehension(self, depth: int) -> ast.comprehension:
        conditions = [self.expression(depth) for _ in range(self.count(0, 2))]
        return ast.comprehension(self.target(depth), self.expression(depth), conditions, int(self.chance(0.2)))

    def handler(self, depth: int) -> ast.ExceptHandler:
        return ast.ExceptHandler(self.expression(depth), self.identifier(depth) if self.chance(0.5) else None, self.body(depth))

    def body(self, depth: int) -> list[ast.stmt]:
        return [self.statement(depth) for _ in range(self.count(1, 2))]

    def match_case(self, depth: int) -> Any:
        return ast.match_case(self.pattern(depth), self.expression(depth) if self.chance(0.3) else None, self.body(depth))

    def pattern(self, depth: int) -> Any:
        self.left -= 1
        if self.left <= 0 or depth > 6 or self.random.random() < 0.3:
            return self.pick((lambda: ast.MatchAs(name="x"), ast.MatchAs, lambda: ast.MatchValue(self.pattern_value(depth))))()
        name = self.pick(PATTERNS)
        return self.node(name, PATTERNS[name], depth)

    def pattern_value(self, depth: int) -> ast.expr:
        number = self.pick((1, 2.5, 3))
        return self.pick(  # type: ignore[no-any-return]  # what the functions return
            (
                lambda: ast.Constant(number),
                lambda: ast.UnaryOp(ast.USub(), ast.Constant(number)),
                lambda: ast.BinOp(ast.UnaryOp(ast.USub(), ast.Constant(number)), self.pick((ast.Add, ast.Sub))(), ast.Constant(2j)),
                lambda: ast.Constant(self.pick(("s", b"s", "<case_stmt>"))),
                lambda: ast.Name(f"LITERAL{self.random.randrange(24)}", ast.Load()),
                lambda: ast.Attribute(self.dotted_name(depth), self.identifier(depth), ast.Load()),
            )
        )()

    def type_parameter(self, depth: int) -> Any:
        name, fields = self.pick(_fields_of(ast.type_param).items())  # type: ignore[attr-defined]  # Python 3.12
        return self.node(name, fields, depth)


def _operator(base: type) -> Callable[[Programs, int], Any]:
    classes: list[Any] = sorted(base.__subclasses__(), key=lambda cls: cls.__name__)
    return lambda programs, depth: programs.pick(classes)()


_VALUES: dict[str, Callable[[Programs, int], Any]] = {
    "stmt": Programs.statement,
    "expr": Programs.expression,
    "pattern": Programs.pattern,
    "identifier": Programs.identifier,
    "arguments": Programs.arguments,
    "alias": Programs.alias,
    "withitem": Programs.with_item,
    "keyword": Programs.keyword,
    "comprehension": Programs.comprehension,
    "excepthandler": Programs.handler,
    "match_case": Programs.match_case,
    "type_param": Programs.type_parameter,
    "expr_context": lambda programs, depth: ast.Load(),
    "string": lambda programs, depth: None,
    "int": lambda programs, depth: programs.random.randint(0, 1),
    "constant": lambda programs, depth: programs.pick((None, True, False)),
    **{kind: _operator(getattr(ast, kind)) for kind in ("boolop", "operator", "unaryop", "cmpop")},
}


def _set(field: str, make: Callable[[Programs, int], Any]) -> Callable[[Programs, Any, int], None]:
    def fix(programs: Programs, node: Any, depth: int) -> None:
        setattr(node, field, make(programs, depth))

    return fix


def _fix_try(programs: Programs, node: Any, depth: int) -> None:
    if not node.handlers and (not node.finalbody or isinstance(node, getattr(ast, "TryStar", ()))):
        node.handlers = [programs.handler(depth)]
    if not node.handlers:
        node.orelse = []
    elif isinstance(node, ast.Try) and programs.chance(0.3):
        node.handlers[-1].type = node.handlers[-1].name = None


def _fix_mapping(programs: Programs, node: Any, depth: int) -> None:
    node.keys = [programs.pattern_value(depth) for _ in node.patterns]


def _fix_class_pattern(programs: Programs, node: Any, depth: int) -> None:
    node.cls = programs.dotted_name(depth)
    node.kwd_patterns = node.kwd_patterns[: programs.count(0, 2)]
    node.kwd_attrs = [f"{programs.identifier(depth)}{i}" for i in range(len(node.kwd_patterns))]


def _fix_sequence(programs: Programs, node: Any, depth: int) -> None:
    if programs.chance(0.3):
        node.patterns.append(ast.MatchStar(programs.pick((None, "rest"))))


def _fix_as(programs: Programs, node: Any, depth: int) -> None:
    node.name = "whole" if node.pattern is not None or node.name in (None, "_") else node.name


def _fix_import_from(programs: Programs, node: Any, depth: int) -> None:
    node.level = programs.pick((0, 0, 1, 2, 3, 4))
    node.module = programs.module_name(depth) if not node.level or programs.chance(0.5) else None
    if programs.chance(0.1):
        node.names = [ast.alias("*")]


def _fix_dictionary(programs: Programs, node: Any, depth: int) -> None:
    node.keys = [programs.expression(depth) if programs.chance(0.8) else None for _ in node.values]


def _fix_comparison(programs: Programs, node: Any, depth: int) -> None:
    node.comparators = [programs.expression(depth) for _ in range(programs.count(1, 3))]
    node.ops = [programs.value("cmpop", depth) for _ in node.comparators]


def _fix_annotation(programs: Programs, node: Any, depth: int) -> None:
    node.target = programs.single_target(depth)
    node.simple = int(isinstance(node.target, ast.Name) and programs.chance(0.8))


def _at_least(field: str, least: int, make: Callable[[Programs, int], Any]) -> Callable[[Programs, Any, int], None]:
    return _set(field, lambda programs, depth: [make(programs, depth) for _ in range(programs.count(least, 3))])


def _fix_type_alias(programs: Programs, node: Any, depth: int) -> None:
    node.name = programs.name(depth)


# What the abstract grammar does not say about a node, said after it is built.
_FIXES: dict[str, Callable[[Programs, Any, int], None]] = {
    "Assign": _at_least("targets", 1, Programs.target),
    "AugAssign": _set("target", Programs.single_target),
    "AnnAssign": _fix_annotation,
    "For": _set("target", Programs.target),
    "AsyncFor": _set("target", Programs.target),
    "Delete": _at_least("targets", 1, Programs.single_target),
    "NamedExpr": _set("target", Programs.name),
    "Subscript": _set("slice", Programs.index),
    "Tuple": _at_least("elts", 0, Programs.starred),
    "List": _at_least("elts", 0, Programs.starred),
    "Set": _at_least("elts", 1, Programs.starred),
    "Call": _at_least("args", 0, Programs.starred),
    "Dict": _fix_dictionary,
    "Compare": _fix_comparison,
    "BoolOp": _at_least("values", 2, Programs.expression),
    "Lambda": _set("args", lambda programs, depth: programs.arguments(depth, annotated=False)),
    "Try": _fix_try,
    "TryStar": _fix_try,
    "Import": _set("names", lambda programs, depth: [ast.alias(programs.module_name(depth), None) for _ in range(programs.count(1, 2))]),
    "ImportFrom": _fix_import_from,
    "TypeAlias": _fix_type_alias,
    "MatchValue": _set("value", Programs.pattern_value),
    "MatchMapping": _fix_mapping,
    "MatchClass": _fix_class_pattern,
    "MatchSequence": _fix_sequence,
    "MatchAs": _fix_as,
    "MatchOr": _at_least("patterns", 2, Programs.pattern),
    "Raise": lambda programs, node, depth: setattr(node, "cause", node.cause if node.exc else None),
    "FunctionDef": lambda programs, node, depth: setattr(node, "type_comment", None),
    "Constant": _set("value", lambda programs, depth: programs.pick((None, True, False, ..., 0, 1.5, 2j, "s", b"s"))),
}
