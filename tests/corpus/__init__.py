"""Derivatives that people really take, as data with sources, and what proves the data right."""
