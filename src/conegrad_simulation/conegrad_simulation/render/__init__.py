"""Camera renderer."""
