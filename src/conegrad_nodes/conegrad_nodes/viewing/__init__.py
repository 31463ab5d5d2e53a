"""A bag or a running graph into the feed of a live view."""
