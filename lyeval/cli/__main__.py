"""``python -m lyeval.cli``."""

from lyeval.cli import main

main()
