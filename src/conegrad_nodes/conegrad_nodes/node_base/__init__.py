"""What all nodes share: life cycle, inputs, worker thread, intra-process communication."""
