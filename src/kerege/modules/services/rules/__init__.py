"""What a definition says: about a message, about itself, about the values of a form."""

from kerege.modules.services.rules.cases import (
    action_of,
    check_drafts,
    check_reasons,
    new_case,
    start_of,
    suspension_of,
)
from kerege.modules.services.rules.conditions import (
    comparisons,
    depth_of,
    holds,
    names_in,
)
from kerege.modules.services.rules.definition import (
    check_definition,
    check_names,
    encode_definition,
    legal_bases,
    text_ids,
)

__all__ = [
    "action_of",
    "check_definition",
    "check_drafts",
    "check_names",
    "check_reasons",
    "comparisons",
    "depth_of",
    "encode_definition",
    "holds",
    "legal_bases",
    "names_in",
    "new_case",
    "start_of",
    "suspension_of",
    "text_ids",
]
