"""`make bench`: every benchmark, one table; what is absent is named and the rest is returned."""

import json
import subprocess
import sys

NAMES = ("transfers", "proofs", "growth", "queues", "importing", "engine", "network")


def main() -> int:
    """Run each benchmark in a process of its own; returns 1 where one failed."""
    failed = 0
    for name in NAMES:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", "--json", *sys.argv[1:]],
            stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        sys.stdout.write(f"\n{name}\n")
        if done.returncode:
            sys.stdout.write(f"  failed with exit code {done.returncode}\n")
            failed = 1
            continue
        for key, value in json.loads(done.stdout).items():
            sys.stdout.write(f"  {key:42} {value}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
