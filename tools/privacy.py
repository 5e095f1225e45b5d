"""Write docs/privacy.md: every plain field of every message and event, who can read it and why it is plain.

python -m tools.privacy [--check]
"""

import sys
from collections.abc import Iterable

from kerege.kernel.messages import tag_of
from kerege.modules import MODULES
from tools.fields import DEFAULTS, Field, fields_of
from tools.pages import ROOT, table, write_or_check

PAGE = ROOT / "docs/privacy.md"

OPENING = """\
# Who can read what

<!-- Written by `make docs` from the types. Change the types, not this page. -->

No personal data enters a transaction (ADR 3). What a citizen says about themselves lies encrypted in a dossier with
the office that is responsible for it; the ledger holds salted commitments, which say nothing without the salt.

Three circles of readers:

- **everyone**: whatever is on the ledger. Validators, institutions and the public see the same bytes, so a field that
  one of them may not see is not on the ledger at all.
- **the institution**: values and salts in its dossiers, after the request to look is on the ledger (`disclosure`).
- **the person**: the own certificate with its values and salts. What a person has shown to somebody is outside of what
  the ledger can promise.

Below is every field that stands in the open, and why it may. A field that is a commitment is in the table too: its
bytes are public, the value is not.
"""


def unexplained() -> list[str]:
    """Fields for which neither the type nor a default says why they are plain."""
    return [f"{field.owner}.{field.path}" for field in every() if not field.reason]


def every() -> Iterable[Field]:
    """Plain fields of all messages and events, in order of modules."""
    for module in MODULES:
        for kind in (*module.handlers, *module.events):
            yield from fields_of(kind)


def page() -> str:
    """The text of docs/privacy.md."""
    parts = [OPENING, "## What needs no word of its own\n\n" + table(("form", "why it is plain"), DEFAULTS.items())]
    for module in MODULES:
        parts.append(f"## {module.name}\n")
        for what, kinds in (("message", module.handlers), ("event", module.events)):
            for kind in kinds:
                rows = [
                    (f"`{field.path}`", field.kind, field.description, field.readers, field.reason)
                    for field in fields_of(kind)
                ]
                heading = f"### {tag_of(kind)} ({what})\n"
                if not rows:
                    parts.append(f"{heading}\nNo fields.\n")
                    continue
                head = ("field", "form", "what it is", "who reads it", "why it is plain")
                parts.append(heading + "\n" + table(head, rows))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, sys.argv[1:]))
