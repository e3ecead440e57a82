"""What make and CI run: locks, the compiled tree, the image's test, pages made from the program."""
