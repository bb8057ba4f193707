"""Blocks of models of text."""
