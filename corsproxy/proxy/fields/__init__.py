"""The fields that the proxy reads or rewrites: one module for each field or group of fields."""
