"""Following a chain: from a trusted header to a chosen one in as few steps as the validators' changes allow.

Others are asked for the same height. One who shows another header that is just as validly signed proves a fork.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..outcome import Malformed
from .block import LightBlock
from .outcome import Expired, Forked, Invalid, NotEnoughTrust, NotShown, Unconfirmed
from .verify import Rules, Trusted, check_same, check_step, check_whole

Fetch = Callable[[int], LightBlock]
"""Gives the block of a height, 0 for the newest; raises `NotShown`, or `Malformed` for what it cannot read."""
STEPS_LIMIT = 1_000
"""Blocks asked for on the way to one: more is a way of wasting our time."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Where following came to."""

    block: LightBlock
    steps: tuple[int, ...]
    """Heights verified on the way, the last one included."""
    confirmed_by: tuple[str, ...]
    """Witnesses that showed the same header."""
    silent: tuple[tuple[str, str], ...]
    """Witnesses that showed none, or an invalid one, each with the reason."""

    @property
    def trusted(self) -> Trusted:
        """What is believed now."""
        return Trusted(self.block.header, self.block.next_validators)


def _shown(fetch: Fetch, height: int) -> LightBlock:
    """Fetch a block; `Invalid` where it is of another height or unreadable."""
    try:
        block = fetch(height)
    except Malformed as error:
        raise Invalid(f"height {height or 'newest'}: {error}") from error
    if height and block.header.height != height:
        raise Invalid(f"asked for height {height}, shown height {block.header.height}")
    return block


def begin(fetch: Fetch, chain: str, height: int, hash_: bytes) -> LightBlock:
    """The header from which to follow: its height and hash are known from a source that is trusted.

    Raises:
        Invalid: what is shown has another hash, or is not signed by its validators.
        NotShown: it is not shown at all.
    """
    block = _shown(fetch, height)
    check_whole(block, chain, hash_)
    return block


def _walk(trusted: Trusted, target: LightBlock, fetch: Fetch, rules: Rules, now: int) -> tuple[int, ...]:
    """Verify `target`, halving each step that is too long; returns the heights on the way."""
    ahead, steps = [target], list[int]()
    while ahead:
        try:
            trusted = check_step(trusted, ahead[-1], rules, now)
        except NotEnoughTrust:
            if len(steps) + len(ahead) >= STEPS_LIMIT:
                raise
            ahead.append(_shown(fetch, (trusted.header.height + ahead[-1].header.height) // 2))
        else:
            steps.append(ahead.pop().header.height)
    return tuple(steps)


def _ask(witness: Fetch, name: str, trusted: Trusted, shown: LightBlock, rules: Rules, now: int) -> str | None:
    """Hold a header against a witness: None where it shows the same, else why its word does not count.

    Raises:
        Forked: it shows another one that is as validly signed.
    """
    try:
        other = _shown(witness, shown.header.height)
        if other.header.hash == shown.header.hash:
            return None
        _walk(trusted, other, witness, rules, now)
    except (NotShown, Invalid, NotEnoughTrust, Expired) as error:
        return str(error)
    raise Forked(shown, other, name)


def follow(
    trusted: Trusted,
    fetch: Fetch,
    rules: Rules,
    now: int,
    *,
    height: int = 0,
    witnesses: Mapping[str, Fetch] | None = None,
) -> Followed:
    """Verify the block of `height` (0: the newest shown) from the trusted header, and hold it against witnesses.

    Raises:
        Forked: a witness shows another header that is as validly signed; both are in it.
        Unconfirmed: witnesses were given, and none shows the same header.
        NotFollowed: see `check_step`, `Fetch`.
    """
    target = _shown(fetch, height)
    if target.header.height == trusted.header.height:
        check_same(trusted, target, rules, now)
        steps: tuple[int, ...] = ()
    else:
        steps = _walk(trusted, target, fetch, rules, now)
    confirmed, silent = [], []
    for name, witness in (witnesses or {}).items():
        reason = _ask(witness, name, trusted, target, rules, now)
        if reason is None:
            confirmed.append(name)
        else:
            silent.append((name, reason))
    if silent and not confirmed:
        raise Unconfirmed("no witness shows the same header: " + "; ".join(f"{n}: {why}" for n, why in silent))
    return Followed(target, steps, tuple(confirmed), tuple(silent))
