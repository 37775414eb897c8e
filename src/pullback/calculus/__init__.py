"""Derivatives of tensor graphs by tensor graphs."""
