"""Training patterns: which stages learn in a step, and from which loss."""
