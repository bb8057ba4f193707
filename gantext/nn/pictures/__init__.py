"""Blocks of models of pictures."""
