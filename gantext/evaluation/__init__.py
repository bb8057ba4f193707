"""Scores of runs, files and real text under one protocol."""
