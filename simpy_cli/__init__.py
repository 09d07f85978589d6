"""The command ``simpy``: files, options, messages and exit codes. What a conversion is belongs to ``transpiler``."""
