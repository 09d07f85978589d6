"""People keep Python, the model reads and writes SimPy."""
