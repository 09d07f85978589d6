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
        "": (1.02, 0.98, 1.06, 1.12, 1.14, 1.24, 1.37, 1.50, 1.54, 1.71, 1.83, 1.92, 1.96, 1.79, 2.04, 1.91),
        " ": (1.04, 1.04, 1.05, 1.06, 1.08, 1.10, 1.13, 1.19, 1.21, 1.30, 1.46, 1.59, 1.68, 1.83, 1.81, 1.97),
        "_": (1.03, 1.03, 1.13, 1.05, 1.09, 1.18, 1.26, 1.46, 1.51, 1.72, 2.13, 2.11, 2.51, 2.21, 2.53, 2.37),
        ".": (1.03, 1.13, 1.11, 1.14, 1.20, 1.27, 1.58, 1.70, 1.74, 1.79, 1.96, 2.14, 2.29, 2.20, 2.14, 2.26),
        "(": (1.03, 1.17, 1.14, 1.11, 1.25, 1.40, 1.63, 1.76, 1.89, 2.00, 2.36, 2.21, 2.22, 2.29, 2.61, 2.38),
        "[": (1.03, 1.84, 1.26, 1.68, 1.80, 1.94, 2.15, 2.17, 2.41, 2.25, 2.79, 2.20, 2.39, 2.55, 2.64, 2.66),
        "=": (1.05, 1.90, 1.56, 1.59, 1.91, 2.00, 2.04, 2.25, 2.54, 2.72, 2.47, 2.51, 2.60, 3.15, 2.89, 2.58),
        "\\": (1.04, 1.31, 1.69, 1.83, 1.42, 2.15, 1.65, 1.58, 1.69, 1.57, 1.77, 1.89, 2.00, 2.22, 2.07, 2.12),
        "-": (1.03, 1.29, 1.38, 1.30, 1.39, 1.50, 1.52, 1.91, 1.86, 1.80, 2.04, 2.73, 2.93, 2.02, 2.07, 2.56),
        ":": (1.02, 1.86, 1.77, 1.85, 1.95, 2.02, 2.05, 2.07, 2.38, 2.27, 2.51, 2.77, 2.53, 2.59, 2.72, 2.56),
        ",": (1.00, 1.66, 1.57, 1.65, 1.81, 1.95, 2.06, 2.13, 2.34, 2.54, 2.39, 2.47, 2.51, 2.78, 2.78, 2.58),
        "/": (1.03, 1.39, 1.61, 1.46, 1.65, 1.88, 1.65, 1.93, 2.10, 2.53, 2.54, 3.19, 2.02, 2.85, 2.94, 2.07),
        "\t": (0.99, 0.99, 1.04, 1.08, 1.19, 1.41, 1.61, 1.97, 2.13, 2.24, 2.29, 2.05, 2.22, 2.46, 2.32, 2.53),
        "?": (1.39, 1.88, 2.01, 2.10, 2.15, 2.15, 2.28, 2.48, 2.74, 2.53, 3.06, 2.97, 3.14, 2.71, 2.99, 2.82),
    },
    shapes={
        (1, False): -0.03,
        (1, True): 0.29,
        (2, False): 0.51,
        (2, True): 0.87,
        (3, False): 1.10,
        (3, True): 1.67,
        (4, False): 1.60,
        (4, True): 2.28,
    },
    signs={
        "mixed": (1.00, 1.01, 1.34, 1.88, 2.16, 2.71, 3.20, 3.73, 4.33, 4.51, 4.75, 4.48, 4.44, 5.37, 6.67, 8.28),
        "again": (1.00, 1.00, 0.97, 1.65, 1.17, 1.46, 1.41, 1.41, 1.41, 1.41, 1.41, 1.41, 1.20, 1.20, 1.20, 1.74),
        "ended": (1.01, 1.06, 1.27, 1.89, 2.21, 2.62, 2.87, 2.99, 3.44, 3.37, 3.51, 4.10, 2.90, 2.94, 3.21, 1.25),
    },
    letters=(1.19, 0.19),
    other=(-1.04, 0.52),
    exact={
        "\tdef": 1, "\telse": 1, "\texcept": 1, "\treturn": 1, " \"\"\"\n": 1, " -----\n": 1, " -------\n": 1,
        " --------\n": 1, " ----------\n": 1, " AttributeError": 1, " False": 1, " FileNotFoundError": 1,
        " ImportError": 1, " IndexError": 1, " JSON": 1, " KeyError": 1, " None": 1, " NotImplementedError": 1,
        " OSError": 1, " RFC": 1, " RuntimeError": 1, " TODO": 1, " TYPE": 1, " TypeError": 1, " ValueError": 1,
        " annotations": 1, " argument": 1, " arguments": 1, " attribute": 1, " attributes": 1, " character": 1,
        " characters": 1, " collections": 1, " compatibility": 1, " configuration": 1, " corresponding": 1,
        " default": 1, " description": 1, " distribution": 1, " documentation": 1, " function": 1, " implementation": 1,
        " import": 1, " information": 1, " isinstance": 1, " object": 1, " optional": 1, " parameter": 1,
        " process": 1, " representation": 1, " return": 1, " self": 1, " sequence": 1, " specified": 1,
        " string": 1, " the": 1, " value": 1, " values": 1, "\"\"\"\n": 1, "\",\"": 1, "\"in": 1, "%s": 1,
        "','": 1, "(\"": 1, "()\n": 1, "())": 1, "())\n": 1, "());": 1, "(),": 1, "().": 1, "()._": 1,
        "().__": 1, "():\n": 1, "();": 1, "(Exception": 1, "(ValueError": 1, "(default": 1, "(filename": 1,
        "(isinstance": 1, "(module": 1, "(options": 1, "(result": 1, "(self": 1, "(source": 1, "(value": 1,
        "));": 1, ")->": 1, ").__": 1, "):\n": 1, ")==": 1, ")s": 1, ",**": 1, ",None": 1, ",default": 1,
        ",int": 1, ",name": 1, ",self": 1, ",str": 1, ",value": 1, ".\"\"\"": 1, ".\"\"\"\n": 1, ".\"\"\"\n\n": 1,
        ".Tensor": 1, "._": 1, ".__": 1, ".append": 1, ".close": 1, ".compile": 1, ".current": 1, ".datetime": 1,
        ".encoding": 1, ".endswith": 1, ".exceptions": 1, ".get": 1, ".getLogger": 1, ".is": 1, ".items": 1,
        ".metadata": 1, ".modules": 1, ".name": 1, ".ndarray": 1, ".parse": 1, ".platform": 1, ".register": 1,
        ".replace": 1, ".startswith": 1, ".type": 1, ".value": 1, ".version": 1, ".warning": 1, ".write": 1,
        "/issues": 1, "://": 1, ":Any": 1, ":`~": 1, ":int": 1, ":list": 1, ":return": 1, ":self": 1,
        ":str": 1, "==\"": 1, "=False": 1, "=None": 1, "=True": 1, "=[]": 1, "=config": 1, "=datetime": 1,
        "=default": 1, "=get": 1, "=int": 1, "=lambda": 1, "=len": 1, "=logging": 1, "=max": 1, "=np": 1,
        "=os": 1, "=re": 1, "=self": 1, "=set": 1, "=subprocess": 1, "=sys": 1, "=torch": 1, "=value": 1,
        "@property": 1, "False": 1, "None": 1, "Return": 1, "Returns": 1, "TypeError": 1, "[float": 1,
        "[index": 1, "[name": 1, "[self": 1, "[str": 1, "])->": 1, "],'": 1, "_NAME": 1, "__(": 1, "__.__": 1,
        "_backend": 1, "_children": 1, "_complete": 1, "_connection": 1, "_constant": 1, "_context": 1,
        "_exception": 1, "_extensions": 1, "_function": 1, "_functions": 1, "_key": 1, "_length": 1,
        "_mapping": 1, "_module": 1, "_name": 1, "_number": 1, "_schema": 1, "_sequence": 1, "_string": 1,
        "_timestamp": 1, "_version": 1, "``,": 1, "annotations": 1, "attributes": 1, "buffer": 1, "character": 1,
        "children": 1, "class": 1, "classmethod": 1, "collections": 1, "context": 1, "convert": 1, "current": 1,
        "datetime": 1, "def": 1, "default": 1, "expected": 1, "extensions": 1, "format": 1, "from": 1,
        "generate": 1, "getitem": 1, "import": 1, "init": 1, "internal": 1, "kwargs": 1, "name": 1, "optional": 1,
        "options": 1, "param": 1, "parent": 1, "print": 1, "property": 1, "register": 1, "result": 1,
        "return": 1, "self": 1, "staticmethod": 1, "type": 1, "validate": 1, "value": 1, "version": 1,
        " \"\"\";": 2, " (``": 2, " Traceback": 2, " ``\"": 2, " docstring": 2, " issubclass": 2, " iterables": 2,
        " mypy": 2, " stacklevel": 2, " versionadded": 2, "!r": 2, "\"``": 2, "()#": 2, "(ctypes": 2,
        "(repr": 2, "))}": 2, ");#": 2, ");_": 2, ")``": 2, "*.\n\n": 2, ",*,": 2, ".abc": 2, ".getpid": 2,
        ".sizeof": 2, ":bool": 2, ":dict": 2, ";#": 2, ";_": 2, "=cls": 2, "=ctx": 2, "=next": 2, "=type": 2,
        "@classmethod": 2, "@staticmethod": 2, "ValueError": 2, "[bool": 2, "[tuple": 2, "_CHECKING": 2,
        "__=": 2, "__`": 2, "__}": 2, "_fork": 2, "_iterable": 2, "_nowait": 2, "``\n\n": 2, "``.": 2,
        "``.\n": 2, "``.\n\n": 2, "ctypes": 2, "hasattr": 2, "isinstance": 2, "weakref": 2, "{\"\"\"": 2,
        "{\"\"\"\n": 2, "{#": 2, "}#": 2,
        "=ctypes": 3, "functools": 3,
        " DeprecationWarning": 4,
    },
)
ERRORS = (
    (300, 11, 4),
    (3000, 7, 2),
    (15000, 6, 2),
    (float("inf"), 5, 1.5),
)
"""For texts of fewer tokens than the first number: nine of ten estimates are off by at most so many percent, and those of what
a dialect saves by at most so many percentage points."""
