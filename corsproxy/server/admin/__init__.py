"""The admin listener: health, metrics, and who may ask."""
