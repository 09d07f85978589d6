"""Tasks for EleutherAI's lm-eval, so that a dialect can be evaluated in that harness. docs/evaluation.md says how they are run."""
