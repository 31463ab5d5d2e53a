"""Cross evaluation: every combination of versions of stages, each version run once per frame."""
