"""`python -m corsproxy`."""

from corsproxy.entry import main

main()
