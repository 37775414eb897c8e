"""Derivations as data: typed steps that hold expressions and numbers, and no words."""
