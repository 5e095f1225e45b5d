"""What a condition means: total formulas.

`holds` answers true or false whatever the condition and the values, in time bounded by the condition's size; it
raises nothing and reads no clock. A name without a value counts as the empty text.
"""

from collections.abc import Iterator, Mapping

from kerege.modules.services.types import (
    And,
    AtMost,
    Condition,
    Equal,
    In,
    Less,
    Name,
    Not,
    NotEqual,
    Or,
    Term,
)


def holds(condition: Condition, values: Mapping[str, str]) -> bool:  # noqa: PLR0911 - one answer per operator
    """Whether the condition holds for these values; total: never raises."""
    match condition:
        case Equal():
            return _text(condition.left, values) == _text(condition.right, values)
        case NotEqual():
            return _text(condition.left, values) != _text(condition.right, values)
        case Less():
            return _order(condition.left, condition.right, values) == "before"
        case AtMost():
            return _order(condition.left, condition.right, values) in {"before", "same"}
        case In():
            return _text(condition.term, values) in condition.options
        case And():
            return all(holds(part, values) for part in condition.parts)
        case Or():
            return any(holds(part, values) for part in condition.parts)
        case Not():
            return not holds(condition.part, values)
    return condition


def names_in(condition: Condition) -> Iterator[str]:
    """Every name that the condition reads, in order of appearance."""
    match condition:
        case Equal() | NotEqual() | Less() | AtMost():
            yield from (term.name for term in (condition.left, condition.right) if isinstance(term, Name))
        case In():
            if isinstance(condition.term, Name):
                yield condition.term.name
        case And() | Or():
            for part in condition.parts:
                yield from names_in(part)
        case Not():
            yield from names_in(condition.part)


def comparisons(condition: Condition) -> Iterator[tuple[str, str]]:
    """Pairs (name, text) where a name is compared with a fixed text for equality: what a choice list must know."""
    match condition:
        case Equal(Name(name), str(text)) | Equal(str(text), Name(name)):
            yield name, text
        case NotEqual(Name(name), str(text)) | NotEqual(str(text), Name(name)):
            yield name, text
        case In(Name(name), options):
            yield from ((name, text) for text in options)
        case And() | Or():
            for part in condition.parts:
                yield from comparisons(part)
        case Not():
            yield from comparisons(condition.part)


def depth_of(condition: Condition) -> int:
    """Levels of `and`, `or` and `not`."""
    match condition:
        case And() | Or():
            return 1 + max(depth_of(part) for part in condition.parts)
        case Not():
            return 1 + depth_of(condition.part)
    return 0


def _text(term: Term, values: Mapping[str, str]) -> str:
    return values.get(term.name, "") if isinstance(term, Name) else term


def _order(left: Term, right: Term, values: Mapping[str, str]) -> str:
    """`before`, `same` or `after`; `none` where the two cannot be ordered."""
    first, second = _rank(_text(left, values)), _rank(_text(right, values))
    if first is None or second is None or first[0] != second[0]:
        return "none"
    if first == second:
        return "same"
    return "before" if first < second else "after"


def _rank(text: str) -> tuple[str, int, str] | None:
    """Something two dates or two numbers can be ordered by; None for what is neither."""
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        return "number", len(digits), digits
    if len(text) == len("YYYY-MM-DD") and text[4] == text[7] == "-":
        digits = text.replace("-", "")
        if len(digits) == len("YYYYMMDD") and digits.isascii() and digits.isdigit():
            return "date", 0, text
    return None
