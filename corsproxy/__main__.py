"""`python -m corsproxy`."""

from corsproxy.cli import main

main()
