"""Trained networks that judge samples: language models, classifiers, encoders."""
