"""The configurations of docs/recipes, against the real servers they were written for."""

from pathlib import Path

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
