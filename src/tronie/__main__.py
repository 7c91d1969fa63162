"""`python -m tronie` is the command `tronie`."""

from tronie.cli import main

if __name__ == "__main__":
    main()
