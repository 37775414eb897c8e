"""The command line. Importing it loads nothing that ``--help`` does not need."""

from pullback.cli.app import main as main
