"""Make evidence, ask whether it is current, or accept it after a change that changed no number."""

import argparse
import sys
from collections.abc import Sequence

from evidence import __doc__ as MANUAL
from evidence import keeping
from evidence.making import accept, make


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return 0 if all is current."""
    parser = argparse.ArgumentParser(
        prog="python -m evidence",
        description=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("make", "status"):
        commands.add_parser(command).add_argument("names", nargs="*")
    accepting = commands.add_parser("accept")
    accepting.add_argument("name")
    accepting.add_argument("--because", required=True, help="why no number can have changed")
    options = parser.parse_args(arguments)
    if options.command == "accept":
        found = accept(options.name, options.because)
    elif options.command == "make":
        found = make(options.names or keeping.names())
    else:
        names = options.names or keeping.names()
        found = [text for name in names for text in keeping.complaints(name)]
    print("\n".join(found) or "The evidence is current.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
