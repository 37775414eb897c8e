"""``pullback bench``: what was derived against the peers that are installed."""
