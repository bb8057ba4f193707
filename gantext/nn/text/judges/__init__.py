"""Judges of text other than a text CNN: networks that give a sentence a logit, real against a
generator's samples, and how they are trained; a run's reward and `--candidates` both use them."""
