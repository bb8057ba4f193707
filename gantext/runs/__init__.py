"""Run folders: files, checkpoints, the trained models in them."""
