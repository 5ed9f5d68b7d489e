"""`python -m vampkit.cli ...`, as torchrun wants it."""

from vampkit.cli.app import main

if __name__ == "__main__":
    main()
