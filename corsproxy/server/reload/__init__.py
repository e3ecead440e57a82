"""Reloading the configuration: changes are noticed, the new file is validated as a whole, and put in force at once."""
