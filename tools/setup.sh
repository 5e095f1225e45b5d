#!/bin/sh
# Find a Python that Kerege runs on and hand over to tools/setup.py.
# POSIX shell, because the Python found first may be too old to read a line of setup.py.
set -u
cd "$(dirname "$0")/.." || exit 1

version_of() {
    # A pyenv shim for a version that is not selected exists and fails: only a Python that answers counts.
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

found=""
if [ -n "${PYTHON:-}" ]; then
    found=$(version_of "$PYTHON")
    case "$found" in
        3.11 | 3.12 | 3.13) exec "$PYTHON" tools/setup.py "$@" ;;
        "") echo "setup: $PYTHON does not run as a Python; name one with 'make setup PYTHON=/path/to/python3.13'." >&2 && exit 1 ;;
    esac
else
    for python in python3.13 python3.12 python3.11 python3 python; do
        version=$(version_of "$python")
        case "$version" in
            3.11 | 3.12 | 3.13) exec "$python" tools/setup.py "$@" ;;
        esac
        found=${found:-$version}
    done
fi
echo "setup: Kerege runs on Python 3.11 to 3.13, and here is ${found:-none}; install one (Debian 12 or later: 'apt-get install python3') or name one with 'make setup PYTHON=/path/to/python3.13'." >&2
exit 1
