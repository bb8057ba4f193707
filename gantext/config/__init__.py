"""Settings: typed, checked, and composed from YAML and the words of a command."""
