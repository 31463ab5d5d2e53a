"""Imports of foreign recordings into bags: folders of pictures and scans, FSKITTI sequences."""
