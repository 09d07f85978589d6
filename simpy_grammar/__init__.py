"""The grammar of SimPy, its dialects, the tables compiled from them, and the parser that runs on the tables."""
