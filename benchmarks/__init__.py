"""How fast corsproxy is beside its peers: `python -m benchmarks`, or `make bench`.

Nothing here is imported by the package; its tests try what needs no measuring.
"""
