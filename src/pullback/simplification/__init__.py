"""Shorter forms of the same tensor: common factors, and products multiplied out where they must be."""
