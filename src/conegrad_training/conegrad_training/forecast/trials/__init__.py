"""Short and full trainings in memory that a forecast looks at."""
