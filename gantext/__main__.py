"""`python -m gantext` is the `gantext` command."""

from gantext.cli import main

if __name__ == "__main__":
    main()
