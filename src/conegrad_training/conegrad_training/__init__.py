"""Training and evaluation of the pipeline on recorded drives."""
