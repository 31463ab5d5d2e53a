"""How much of its F1 a system keeps under attacks: run, table, pictures, report."""
