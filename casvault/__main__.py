"""The command `casvault`, also as `python -m casvault`."""

import sys

from casvault.cli.app import main as run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
