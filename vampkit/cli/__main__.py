"""`python -m vampkit.cli ...`, as torchrun wants it."""

from vampkit.cli.verbs import main

if __name__ == "__main__":
    main()
