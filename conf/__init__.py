"""gantext's configuration files, shipped with the package as `gantext.conf`."""
