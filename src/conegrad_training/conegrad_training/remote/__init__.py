"""Gradients over topics: the trainer and the nodes that learn run in different processes."""
