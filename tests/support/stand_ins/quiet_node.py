"""A node that does nothing; named after the program that it stands in for."""

from spinning import spin_until_told

spin_until_told(lambda node: None)
