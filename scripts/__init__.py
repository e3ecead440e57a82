"""Programs for make and CI: locks, the compiled tree, the test of the image, generated pages."""
