"""Fields, one module each, as both ways need them: what a value says, and how it is written for the other side."""
