"""The report of an attribution: one self-contained HTML file."""
