"""`python -m s3dash`, and the `s3dash` command."""

import sys


def main() -> int:
    """Run the command line of this process; its exit code."""
    try:
        from s3dash.cli.main import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
