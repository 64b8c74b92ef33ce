"""``python -m orgmon``."""

from orgmon.cli import main

main()
