"""A changed configuration: noticed, validated whole, swapped in at once."""
