"""The rules: what CPython refuses beyond the grammar and a reader from left to right can know."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

PARSE, COMPILE = "parse", "compile"


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: its name in this project.
        message: the words of CPython; ``{}`` stands for a name or a kind of expression of the program.
        stage: who refuses a program that breaks it: ``ast.parse`` (PARSE), or only ``compile`` (COMPILE).
        note: what differs between versions of Python, or an empty string.
    """

    name: str
    message: str
    stage: str
    note: str = ""


class RuleError(Exception):
    """A lexeme that cannot follow in any valid Python program.

    Attributes:
        rule: the rule that it breaks.
        message: what is wrong, in the words of CPython where it has some.
        index: index of the lexeme in its stream, or -1 where no stream was checked.
        offset: offset of the lexeme in the text that was read, or -1 where it is not known.
    """

    def __init__(self, rule: Rule, *words: str) -> None:
        self.rule = rule
        self.message = rule.message.format(*words)
        self.index = -1
        self.offset = -1
        super().__init__(self.message)


_ROWS = (
    # targets
    Rule("assignment target", "cannot assign to {}", PARSE),
    Rule("starred target", "starred assignment target must be in a list or tuple", COMPILE),
    Rule("starred targets", "multiple starred expressions in assignment", COMPILE),
    Rule("augmented target", "'{}' is an illegal expression for augmented assignment", PARSE),
    Rule("annotated target", "illegal target for annotation", PARSE),
    Rule("annotated targets", "only single target (not {}) can be annotated", PARSE),
    Rule("deleted target", "cannot delete {}", PARSE),
    Rule("debug", "cannot assign to __debug__", COMPILE, "after `del` since 3.10"),
    # stars
    Rule("star", "can't use starred expression here", COMPILE, "in a field ast.parse before 3.12"),
    Rule("star operand", "invalid syntax: a comparison after a star needs parentheses", PARSE),
    # arguments
    Rule("positional after keyword", "positional argument follows keyword argument", PARSE),
    Rule("positional after mapping", "positional argument follows keyword argument unpacking", PARSE),
    Rule("iterable after mapping", "iterable argument unpacking follows keyword argument unpacking", PARSE),
    Rule("keyword repeated", "keyword argument repeated: {}", COMPILE, "ast.parse in 3.8"),
    Rule("generator base", "invalid syntax: a generator expression as a base class needs parentheses", PARSE),
    # parameters
    Rule("parameter default", "parameter without a default follows parameter with a default", PARSE, "worded otherwise before 3.12"),
    Rule("parameter duplicate", "duplicate argument '{}' in function definition", COMPILE),
    Rule("bare star", "named parameters must follow bare *", PARSE, "arguments before 3.14"),
    Rule("second star", "* may appear only once", PARSE, "worded otherwise before 3.11"),
    Rule("second slash", "/ may appear only once", PARSE, "worded otherwise before 3.11"),
    Rule("slash after star", "/ must be ahead of *", PARSE, "worded otherwise before 3.11"),
    Rule("slash first", "at least one parameter must precede /", PARSE, "argument before 3.14"),
    Rule("after mapping parameter", "parameters cannot follow var-keyword parameter", PARSE, "arguments before 3.14"),
    Rule("type parameter duplicate", "duplicate type parameter '{}'", COMPILE, "since 3.12"),
    Rule("type parameter default", "non-default type parameter '{}' follows default type parameter", COMPILE, "since 3.13"),
    Rule(
        "in type scope", "{} cannot be used within {}", COMPILE, "since 3.12; in annotations since 3.14, or with the import from __future__"
    ),
    # functions, loops, blocks
    Rule("return outside", "'return' outside function", COMPILE),
    Rule("return value", "'return' with value in async generator", COMPILE),
    Rule("yield outside", "'yield' outside function", COMPILE),
    Rule("yield from", "'yield from' inside async function", COMPILE),
    Rule("yield in comprehension", "'yield' inside {}", COMPILE),
    Rule("await outside", "'await' outside {}", COMPILE, "worded otherwise in comprehensions"),
    Rule("async for outside", "'async for' outside async function", COMPILE),
    Rule("async with outside", "'async with' outside async function", COMPILE),
    Rule("async comprehension", "asynchronous comprehension outside of an asynchronous function", COMPILE),
    Rule("break outside", "'break' outside loop", COMPILE),
    Rule("continue outside", "'continue' not properly in loop", COMPILE),
    Rule("leave except*", "'break', 'continue' and 'return' cannot appear in an except* block", COMPILE, "since 3.11"),
    Rule("except last", "default 'except:' must be last", COMPILE),
    Rule("except mixed", "cannot have both 'except' and 'except*' on the same 'try'", PARSE, "since 3.11"),
    Rule("empty block", "expected an indented block", PARSE),
    # scopes and imports
    Rule("global after use", "name '{}' is {} {} declaration", COMPILE, "worded by what came first"),
    Rule("global parameter", "name '{}' is parameter and {}", COMPILE),
    Rule("global annotated", "annotated name '{}' can't be {}", COMPILE),
    Rule("nonlocal and global", "name '{}' is nonlocal and global", COMPILE),
    Rule("nonlocal at module level", "nonlocal declaration not allowed at module level", COMPILE),
    Rule("nonlocal unbound", "no binding for nonlocal '{}' found", COMPILE),
    Rule("nonlocal outside", "no binding for nonlocal", COMPILE),
    Rule("future position", "from __future__ imports must occur at the beginning of the file", COMPILE),
    Rule("future name", "future feature {} is not defined", COMPILE),
    Rule("import star", "import * only allowed at module level", COMPILE),
    Rule("lazy import", "lazy import is not allowed {}", COMPILE, "since 3.15"),
    # assignment expressions
    Rule("walrus in iterable", "assignment expression cannot be used in a comprehension iterable expression", COMPILE),
    Rule("walrus in class", "assignment expression within a comprehension cannot be used in a class body", COMPILE),
    Rule("walrus in target", "comprehension inner loop cannot rebind assignment expression target '{}'", COMPILE),
    Rule("walrus rebinds", "assignment expression cannot rebind comprehension iteration variable '{}'", COMPILE),
    Rule("walrus rebound", "comprehension inner loop cannot rebind assignment expression target '{}'", COMPILE),
    # patterns
    Rule("unreachable case", "{} makes remaining patterns unreachable", COMPILE, "since 3.10"),
    Rule("alternative names", "alternative patterns bind different names", COMPILE, "since 3.10"),
    Rule("capture repeated", "multiple assignments to name '{}' in pattern", COMPILE, "since 3.10"),
    Rule("capture wildcard", "cannot use '_' as a target", PARSE, "since 3.10"),
    Rule("rest wildcard", "invalid syntax: no wildcard follows the two stars of a mapping pattern", PARSE, "since 3.10"),
    Rule("wildcard", "invalid syntax: nothing of a name follows the wildcard '_'", PARSE, "since 3.10"),
    Rule("pattern stars", "multiple starred names in sequence pattern", COMPILE, "since 3.10"),
    Rule("pattern star", "invalid syntax: a starred pattern outside a sequence pattern", PARSE, "since 3.10"),
    Rule("pattern key", "invalid syntax: a key of a mapping pattern is a literal or a dotted name", PARSE, "since 3.10"),
    Rule("pattern key repeated", "mapping pattern checks duplicate key ({})", COMPILE, "since 3.10"),
    Rule("pattern rest", "invalid syntax: double star pattern must be the last in a mapping pattern", PARSE, "since 3.10"),
    Rule("pattern positional", "positional patterns follow keyword patterns", PARSE, "since 3.10"),
    Rule("pattern attribute", "attribute name repeated in class pattern: {}", COMPILE, "since 3.10"),
    Rule("pattern literal", "patterns may only match literals and attribute lookups", COMPILE, "since 3.10"),
    Rule("pattern imaginary", "imaginary number required in complex literal", PARSE, "since 3.10"),
    Rule("pattern real", "real number required in complex literal", PARSE, "since 3.10"),
    # literals and names
    Rule("number", "invalid number literal '{}'", PARSE, "worded by the kind of fault"),
    Rule(
        "escape",
        "(unicode error) can't decode escape in '{}'",
        PARSE,
        "worded by the kind of fault; names of characters are those that this Python knows",
    ),
    Rule("bytes escape", "(value error) invalid \\x escape", PARSE),
    Rule("bytes ascii", "bytes can only contain ASCII literal characters", PARSE),
    Rule("bytes and text", "cannot mix bytes and nonbytes literals", PARSE),
    Rule("template and text", "cannot mix t-string literals with string or bytes literals", PARSE, "since 3.14"),
    Rule("conversion", "f-string: invalid conversion character '{}': expected 's', 'r', or 'a'", PARSE, "worded otherwise before 3.12"),
    Rule("field lambda", "f-string: lambda expressions are not allowed without parentheses", PARSE),
    Rule("field text", "f-string: invalid syntax in '{}'", PARSE),
    Rule("comment", "a comment inside an expression needs brackets around it", PARSE),
    Rule("name", "invalid character in identifier '{}'", PARSE),
    # versions
    Rule("version", "needs Python {}", PARSE, "only where a version is asked for"),
)
RULES: dict[str, Rule] = {rule.name: rule for rule in _ROWS}


def refuse(name: str, *words: str) -> NoReturn:
    """Raise the error for a broken rule.

    Raises:
        RuleError: always.
    """
    raise RuleError(RULES[name], *words)
