"""Blocks that read captions."""
