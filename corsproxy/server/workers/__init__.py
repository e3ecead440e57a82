"""Processes that share the listeners: their parent, what it and they tell each other, and one of them."""
