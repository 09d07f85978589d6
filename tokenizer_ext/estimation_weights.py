"""Weights of the estimate of token counts, and how far off it is.

Written by ``benchmarks/estimates.py``; how good they are stands in docs/dualcode.md.
"""

# fmt: off
from __future__ import annotations

from tokenizer_ext.piece_costs import Weights

VOCABULARY = "cl100k_base"
"""The vocabulary that the weights are fitted to."""
WEIGHTS = Weights(
    words={
        "": (1.03, 0.99, 1.05, 1.11, 1.13, 1.20, 1.34, 1.43, 1.60, 1.68, 1.78, 1.98, 1.75, 1.91, 1.92, 2.00),
        " ": (1.04, 1.03, 1.04, 1.07, 1.07, 1.09, 1.14, 1.17, 1.18, 1.27, 1.40, 1.46, 1.45, 1.76, 1.85, 1.98),
        "_": (1.03, 1.04, 1.08, 1.06, 1.09, 1.15, 1.31, 1.34, 1.76, 1.67, 1.81, 1.98, 2.13, 2.84, 3.10, 2.44),
        ".": (1.03, 1.11, 1.12, 1.15, 1.19, 1.26, 1.46, 1.50, 1.70, 1.73, 1.95, 2.24, 2.06, 1.95, 2.42, 2.00),
        "(": (1.03, 1.14, 1.12, 1.17, 1.20, 1.25, 1.63, 1.67, 2.04, 2.02, 2.27, 1.99, 2.33, 2.19, 2.38, 2.16),
        "[": (1.03, 1.55, 1.18, 1.63, 1.80, 2.00, 2.03, 2.03, 1.99, 2.31, 2.75, 2.69, 2.42, 2.48, 3.49, 2.56),
        "=": (1.00, 1.81, 1.56, 1.62, 1.85, 2.03, 2.04, 2.16, 2.35, 2.35, 2.39, 2.73, 2.75, 2.68, 2.66, 2.81),
        "\\": (1.03, 1.39, 1.52, 1.99, 1.54, 1.71, 1.69, 1.76, 1.59, 1.52, 1.70, 1.83, 1.78, 2.57, 2.26, 2.12),
        "-": (1.03, 1.26, 1.32, 1.27, 1.27, 1.42, 1.80, 1.88, 1.97, 1.73, 1.87, 2.51, 3.05, 2.01, 2.63, 2.27),
        ":": (1.00, 1.85, 1.35, 1.83, 1.92, 1.95, 2.02, 2.06, 2.50, 2.32, 2.38, 2.63, 2.62, 2.69, 2.86, 2.51),
        ",": (0.97, 1.56, 1.37, 1.55, 1.73, 1.87, 1.95, 2.05, 2.17, 2.31, 2.25, 2.40, 2.45, 2.78, 2.75, 2.43),
        "/": (1.03, 1.13, 1.38, 1.37, 1.73, 1.91, 2.31, 2.17, 2.56, 2.46, 2.61, 3.50, 2.00, 2.58, 3.09, 2.04),
        "\t": (1.04, 1.05, 1.08, 1.14, 1.11, 1.28, 1.31, 1.37, 1.70, 1.68, 1.70, 1.83, 1.78, 2.01, 2.26, 2.09),
        "?": (1.46, 1.84, 1.94, 2.09, 2.13, 2.20, 2.30, 2.45, 2.66, 2.75, 2.65, 2.62, 2.90, 2.57, 2.90, 2.79),
    },
    shapes={
        (1, False): -0.04,
        (1, True): 0.35,
        (2, False): 0.57,
        (2, True): 0.86,
        (3, False): 1.09,
        (3, True): 1.67,
        (4, False): 1.51,
        (4, True): 2.67,
    },
    signs={
        "mixed": (1.02, 1.02, 1.32, 1.89, 2.17, 2.72, 3.26, 3.90, 4.54, 5.44, 5.93, 6.12, 6.52, 6.87, 7.45, 7.20),
        "again": (1.00, 1.01, 0.96, 1.33, 1.33, 1.85, 2.14, 2.14, 2.14, 2.14, 2.10, 2.10, 1.54, 1.54, 1.54, 2.46),
        "ended": (1.00, 1.05, 1.20, 1.87, 2.11, 2.46, 3.05, 3.14, 3.51, 2.99, 3.96, 3.38, 2.83, 2.85, 3.04, 0.58),
    },
    letters=(1.20, 0.22),
    other=(0.01, 0.56),
    exact={
        " \"\"\"\n": 1, " \"\"\"\n\n": 1, " -----\n": 1, " -------\n": 1, " --------\n": 1, " ----------\n": 1,
        " API": 1, " AttributeError": 1, " BSD": 1, " BaseModel": 1, " FileNotFoundError": 1, " HTML": 1,
        " HTTP": 1, " ID": 1, " ImportError": 1, " JSON": 1, " KeyError": 1, " LICENSE": 1, " License": 1,
        " None": 1, " NotImplementedError": 1, " OSError": 1, " Optional": 1, " Parameters": 1, " Returns": 1,
        " RuntimeError": 1, " TODO": 1, " TYPE": 1, " TypeError": 1, " ValueError": 1, " annotations": 1,
        " arguments": 1, " attribute": 1, " available": 1, " collections": 1, " configuration": 1, " corresponding": 1,
        " default": 1, " dependencies": 1, " distributed": 1, " environment": 1, " from": 1, " function": 1,
        " if": 1, " implementation": 1, " import": 1, " information": 1, " instance": 1, " is": 1, " isinstance": 1,
        " optional": 1, " parameters": 1, " representation": 1, " request": 1, " response": 1, " return": 1,
        " self": 1, " specified": 1, " string": 1, " that": 1, " this": 1, " to": 1, " value": 1, " version": 1,
        " with": 1, " \u2192": 1, "\"\"\"\n": 1, "\"),\"": 1, "\",\n": 1, "\",\"": 1, "\":\"": 1, "\":{\"": 1,
        "\"]=": 1, "\"][\"": 1, "','": 1, "(\"": 1, "(\"\"\"\n": 1, "(\"--": 1, "()\n": 1, "());": 1,
        "(),\"": 1, "().": 1, "().__": 1, "():\n": 1, "();": 1, "(Exception": 1, "(context": 1, "(default": 1,
        "(isinstance": 1, "(request": 1, "(response": 1, "(self": 1, "(value": 1, "),(": 1, ")->": 1,
        ").__": 1, "):\n": 1, ")s": 1, ",**": 1, ",default": 1, ",name": 1, ",self": 1, ",str": 1, ",value": 1,
        ".\"\"\"": 1, ".\"\"\"\n": 1, ".\"\"\"\n\n": 1, "._": 1, ".__": 1, ".add": 1, ".append": 1, ".children": 1,
        ".compile": 1, ".connection": 1, ".context": 1, ".dependencies": 1, ".environment": 1, ".exceptions": 1,
        ".extend": 1, ".get": 1, ".getLogger": 1, ".headers": 1, ".items": 1, ".name": 1, ".options": 1,
        ".path": 1, ".register": 1, ".startswith": 1, ".update": 1, ".value": 1, ".version": 1, "/LICENSE": 1,
        "/issues": 1, "/licenses": 1, "://": 1, ":`~": 1, ":class": 1, ":int": 1, ":list": 1, ":return": 1,
        ":self": 1, ":str": 1, "==\"": 1, "=False": 1, "=None": 1, "=True": 1, "=config": 1, "=context": 1,
        "=default": 1, "=format": 1, "=get": 1, "=int": 1, "=lambda": 1, "=len": 1, "=logging": 1, "=np": 1,
        "=os": 1, "=output": 1, "=re": 1, "=result": 1, "=self": 1, "=set": 1, "=str": 1, "=subprocess": 1,
        "=value": 1, "={\"": 1, "@property": 1, "DEFAULT": 1, "Exception": 1, "None": 1, "TypeError": 1,
        "[name": 1, "[self": 1, "[str": 1, "])->": 1, "_NAME": 1, "_VERSION": 1, "__(": 1, "__.__": 1,
        "_annotation": 1, "_annotations": 1, "_argument": 1, "_arguments": 1, "_attribute": 1, "_available": 1,
        "_comments": 1, "_config": 1, "_context": 1, "_default": 1, "_exceptions": 1, "_extensions": 1,
        "_function": 1, "_functions": 1, "_headers": 1, "_metadata": 1, "_modules": 1, "_name": 1, "_namespace": 1,
        "_options": 1, "_property": 1, "_response": 1, "_schema": 1, "_signature": 1, "_string": 1, "_supported": 1,
        "_timeout": 1, "_transform": 1, "_value": 1, "_version": 1, "``,": 1, "abstractmethod": 1, "annotations": 1,
        "class": 1, "classmethod": 1, "collections": 1, "connection": 1, "context": 1, "def": 1, "default": 1,
        "filename": 1, "format": 1, "from": 1, "import": 1, "init": 1, "kwargs": 1, "module": 1, "name": 1,
        "output": 1, "param": 1, "property": 1, "request": 1, "response": 1, "result": 1, "return": 1,
        "self": 1, "staticmethod": 1, "transform": 1, "typing": 1, "validate": 1, "value": 1, "version": 1,
        "warnings": 1,
        " \"\"\";": 2, " Annotated": 2, " Awaitable": 2, " Decorator": 2, " dataclass": 2, " docstring": 2,
        " doctest": 2, " mypy": 2, " stacklevel": 2, " versionadded": 2, "!r": 2, "\",\"_": 2, "\":_": 2,
        "(BaseModel": 2, "))}": 2, ");#": 2, ")``": 2, ",*,": 2, ",Any": 2, ".abc": 2, ".inference": 2,
        ":`.": 2, ":bool": 2, ":dict": 2, ";#": 2, ";_": 2, "=next": 2, "=state": 2, "=type": 2, "ValueError": 2,
        "[bool": 2, "]]|": 2, "_CHECKING": 2, "__=": 2, "__}": 2, "_comma": 2, "_imports": 2, "``.": 2,
        "``.\n": 2, "``.\n\n": 2, "hasattr": 2, "isinstance": 2, "pandas": 2, "{\"\"\"": 2, "{\"\"\"\n": 2,
        "{#": 2, "}#": 2,
        " HuggingFace": 3, " frozenset": 3, " huggingface": 3, " pydantic": 3, "=dedent": 3, "functools": 3,
        "pydantic": 3,
        " DeprecationWarning": 4, ":frozenset": 4, "=frozenset": 4, "frozenset": 4,
    },
)
ERRORS = (
    (300, 13, 4),
    (3000, 6, 2),
    (15000, 4, 1),
    (float("inf"), 4, 1),
)
"""For texts of fewer tokens than the first number: nine of ten estimates are off by at most so many percent, and those of what
a dialect saves by at most so many percentage points."""
