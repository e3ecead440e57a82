"""The configurations of docs/recipes, against the real servers they were written for."""
