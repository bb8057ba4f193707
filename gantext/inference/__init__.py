"""What one does with a trained run: sample, draw, score, reconstruct, interpolate, impute."""
