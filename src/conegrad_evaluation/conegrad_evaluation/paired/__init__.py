"""Two systems on the same frames: counts, differences and what they say."""
