"""Playing bags through the live graph, or through the same modules directly."""
