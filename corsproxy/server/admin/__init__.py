"""The admin listener: health, metrics, the inspector's pages, and the Host values that these accept."""
