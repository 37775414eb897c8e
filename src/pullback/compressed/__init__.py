"""Jacobians and Hessians that stay small: their factors, their products with vectors, their solves."""
