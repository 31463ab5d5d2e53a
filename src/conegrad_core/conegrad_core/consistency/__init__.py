"""Compares the sensors with each other and with their past, and says what cannot be trusted."""
