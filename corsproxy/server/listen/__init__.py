"""Listeners, their certificates, and the start-up lines about them."""
