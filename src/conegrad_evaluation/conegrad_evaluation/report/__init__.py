"""The HTML report of a drive: tables, plots and pictures."""
