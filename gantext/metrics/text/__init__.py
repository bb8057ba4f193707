"""Metrics of text: pure functions of strings and arrays."""
