"""All patterns from the same start under the same budget: runs, results and the report."""
