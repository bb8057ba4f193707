"""Judges of text: a logit for each sentence, real against a run's samples, and what it is worth."""
