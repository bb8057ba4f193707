"""Metrics of pictures: pure functions of arrays of features."""
