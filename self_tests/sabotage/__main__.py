"""``python -m self_tests.sabotage [NAME]``: break torch in one way, and read what its claim says."""

import argparse
import sys
from collections.abc import Sequence

from fixtures.command import InputError, command, did_you_mean
from self_tests.sabotage.runner import all_faults, commit


@command
def main(arguments: Sequence[str]) -> int:
    """List the faults, or commit the named ones and print the message of each claim."""
    parser = argparse.ArgumentParser(prog="python -m self_tests.sabotage", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a fault; without any, all are listed"
    )
    names = parser.parse_args(arguments).names
    faults = {fault.name: fault for fault in all_faults()}
    if not names:
        width = max(map(len, faults))
        print("\n".join(f"{name:{width}}  {fault.claim}" for name, fault in faults.items()))
        return 0
    if unknown := [name for name in names if name not in faults]:
        hint = did_you_mean(
            unknown[0], faults, otherwise="python -m self_tests.sabotage lists them"
        )
        raise InputError(f"{unknown[0]!r} is no fault: {hint}")
    outcomes = commit(faults[name] for name in names)
    for name in names:
        print(outcomes[name].message or f"{name}: not noticed")
    return 0 if all(outcomes[name].noticed_by for name in names) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
