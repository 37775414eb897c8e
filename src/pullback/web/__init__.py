"""The page: derivations in a browser, served from this machine alone, or exported as static files."""
