"""Samples: the frames of a recording as inputs of a pipeline, with their truth."""
