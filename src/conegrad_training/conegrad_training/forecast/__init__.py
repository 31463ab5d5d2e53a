"""Forecast: what would training each part of a system gain, before it is trained?"""
