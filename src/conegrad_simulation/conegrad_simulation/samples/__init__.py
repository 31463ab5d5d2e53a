"""Training samples: random frames, and frames of simulated drives, with exact truth."""
