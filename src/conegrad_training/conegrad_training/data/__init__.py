"""Training samples: replayed from bags or simulated, augmented, in batches by seed and step."""
