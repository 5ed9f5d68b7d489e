"""Lets `python -m vampkit.cli ...` run the command line, which torchrun needs."""

from vampkit.cli.app import main

if __name__ == "__main__":
    main()
