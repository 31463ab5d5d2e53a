"""Maps of cones: CSV files with x, y and colour."""
