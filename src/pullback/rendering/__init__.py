"""Derivations in the forms that people read: terminal, Markdown, LaTeX, HTML, and JSON for programs."""
