"""`python -m kerege.node.pack FOLDER`: read a nation pack and say what is in it, or what is wrong with it and where."""

import sys
from pathlib import Path

from kerege.node.pack import read_pack
from kerege.node.pack.errors import PackError

UNUSABLE = 2


def main() -> int:
    """Exit 0 for a good pack, 2 for a bad one."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the folder
        sys.stderr.write("usage: python -m kerege.node.pack FOLDER\n")
        return UNUSABLE
    try:
        pack = read_pack(Path(sys.argv[1]))
    except (PackError, OSError) as fault:
        sys.stderr.write(f"{fault}\n")
        return UNUSABLE
    counts = f"{len(pack.institutions)} institutions, {len(pack.offices)} offices, {len(pack.territory)} territories"
    sys.stdout.write(f"{pack.nation.code}: {counts}, {len(pack.parameters)} parameters\n")
    for service in pack.services:
        definition = service.definition
        told = f"{len(definition.steps)} steps, {len(definition.outcomes)} outcomes, {len(service.examples)} examples"
        sys.stdout.write(f"{definition.code}: {told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
