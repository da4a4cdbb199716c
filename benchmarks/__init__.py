"""Paired comparisons of speed; `python -m benchmarks.run` runs them all."""
