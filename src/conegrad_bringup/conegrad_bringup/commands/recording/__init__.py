"""Commands that make drives, and say what is in them."""
