"""A recorded drive matched to its truth."""
