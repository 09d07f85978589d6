"""Recipes: from a corpus to a model that speaks a dialect. One script and one YAML file each; ``docs/training.md`` walks through them."""
