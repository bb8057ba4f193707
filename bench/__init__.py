"""Speed and memory beside plain code and beside what no code could do without; `make bench`."""
