"""Computations which the array library does not offer as one call."""
