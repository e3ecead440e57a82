"""The admin listener: health, metrics, and which Host values it accepts."""
