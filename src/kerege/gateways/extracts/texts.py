"""What the outcome of a row is called, in the words of the nation pack."""

from collections.abc import Mapping

from kerege.gateways.extracts.rules import REJECTED, REVIEW, Outcome, Verdict

Texts = Mapping[str, str]
"""Sentences of one language by id, as the pack has them."""


def text_id(verdict: Verdict) -> str:
    """The id of an outcome's sentence: `import.rejected.pin`, `import.duplicate.row`, `import.accepted`."""
    if verdict.outcome is Outcome.ACCEPTED:
        return "import.accepted"
    detail = verdict.detail
    if verdict.outcome is Outcome.DUPLICATE and detail != "file":
        detail = "row"
    return f"import.{verdict.outcome.value}.{detail}"


def facts(verdict: Verdict) -> dict[str, str]:
    """What stands in the braces of that sentence."""
    return {"row": verdict.detail.removeprefix("row ")} if text_id(verdict) == "import.duplicate.row" else {}


def sentence(verdict: Verdict, texts: Texts) -> str:
    """Why the row ended as it did, in one sentence. Raises `KeyError` for a pack without it."""
    return texts[text_id(verdict)].format(**facts(verdict))


def needed_texts() -> tuple[str, ...]:
    """Ids of all sentences that an import may say: a pack with profiles has each of them in each language."""
    return (
        "import.accepted",
        "import.duplicate.row",
        "import.duplicate.file",
        *(f"import.rejected.{detail}" for detail in REJECTED),
        *(f"import.review.{detail}" for detail in REVIEW),
        *(f"import.note.{name}" for name in ("damaged", "cells")),
        *(f"import.outcome.{outcome.value}" for outcome in Outcome),
        *(f"import.head.{name}" for name in HEADS),
    )


HEADS = ("row", "cell", "code", "message", "value", "summary", "findings", "rows", "sum", "agrees", "disagrees")
"""Names of the report's sheets, columns and lines."""
