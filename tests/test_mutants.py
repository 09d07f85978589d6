"""What mutation testing found no test for: see ``benchmarks/mutation.py``."""
