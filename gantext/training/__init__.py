"""Training: from the words of a command to a finished run."""
