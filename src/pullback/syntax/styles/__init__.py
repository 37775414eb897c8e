"""How each construct looks in each printed style, one module a family."""
