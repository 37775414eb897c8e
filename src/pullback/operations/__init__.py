"""The table of operations: one operation, one entry, in one place.

``entry`` says what an entry is, the topic files hold the entries, ``table`` collects them.
"""
