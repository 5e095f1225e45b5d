"""Hypothesis strategies for any annotated type of the ledger, read from the type itself."""

import re
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as types

Strategy = st.SearchStrategy[Any]


def values_of(kind: Any) -> Strategy:
    """Values of an annotation inside all its bounds."""
    return _of(types.type_info(kind))


def _of(kind: types.Type) -> Strategy:  # noqa: C901, PLR0911 - one case a kind
    match kind:
        case types.Metadata():
            return _of(kind.type)
        case types.NoneType():
            return st.none()
        case types.BoolType():
            return st.booleans()
        case types.IntType():
            low = kind.ge if kind.ge is not None else (kind.gt + 1 if kind.gt is not None else -(2**63))
            high = kind.le if kind.le is not None else (kind.lt - 1 if kind.lt is not None else 2**63 - 1)
            return st.integers(low, high)
        case types.BytesType():
            return st.binary(min_size=kind.min_length or 0, max_size=kind.max_length or 100)
        case types.StrType():
            return _text(kind)
        case types.EnumType():
            return st.sampled_from(list(kind.cls))
        case types.LiteralType():
            return st.sampled_from(kind.values)
        case types.ListType() | types.VarTupleType():
            low = kind.min_length or 0
            high = min(kind.max_length if kind.max_length is not None else 3, low + 3)
            listed = st.lists(_of(kind.item_type), min_size=low, max_size=high)
            return listed if isinstance(kind, types.ListType) else listed.map(tuple)
        case types.TupleType():
            return st.tuples(*map(_of, kind.item_types))
        case types.UnionType():
            return st.one_of(*map(_of, kind.types))
        case types.StructType():
            return st.builds(kind.cls, **{f.name: _of(f.type) for f in kind.fields})
    raise TypeError(f"no strategy for {kind!r}")


SAMPLES = ("KGS", "USDKG", "ЗАГС-41702", "birth", "bank.Transfer.2", "a", "kg", "0123456789ab", "https", "1", "2026-01")


def _text(kind: types.StrType) -> Strategy:
    low, high = kind.min_length or 0, kind.max_length
    if kind.pattern is None:
        return st.text(
            st.characters(codec="utf-8", exclude_characters="\0"), min_size=low, max_size=min(high or 30, 30)
        )
    pattern = re.compile(kind.pattern)
    fitting = [s for s in SAMPLES if pattern.search(s) and low <= len(s) and (high is None or len(s) <= high)]
    return st.sampled_from(fitting) if fitting else st.from_regex(pattern, fullmatch=True)
