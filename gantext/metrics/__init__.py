"""Metrics of generated text and images: pure functions whose scores carry their settings."""
