"""From a folder of Python to token ids for training: each program once, none that a tool wrote, packed into memory maps.

    python examples/corpus_to_ids.py FOLDER OUTPUT TOKENIZER

The tokenizer is a ``tokenizer.json``, its folder, a tiktoken name or a hub id. Needs ``simpy-lang[corpus,tokenizers]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from simpy_corpus import Options, PackedIds, build
from simpy_corpus.inputs.python_files import PythonFiles


def main(folder: str, output: str, tokenizer: str) -> None:
    files = PythonFiles([(str(path), path.relative_to(folder).as_posix()) for path in sorted(Path(folder).rglob("*.py"))])
    options = Options(drop=("duplicate", "generated", "data"), format="ids", tokenizer=tokenizer)
    report = build([files], output, options, workers=2, progress=print)
    packed = PackedIds(output)
    print(f"{len(packed)} of {report['rows']} programs, {report['ids']} ids; the first: {packed[0][:8].tolist()} ...")


if __name__ == "__main__":
    main(*sys.argv[1:])
