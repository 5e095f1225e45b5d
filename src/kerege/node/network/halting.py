"""A ledger that stands still because too many validators lost their memory of votes: who comes back, and from where.

Rounds go on by the votes of two thirds, so that nobody can pass over one: who comes back must vote in the very round in
which those stand that remember. What keeps it from voting twice is what they have of its votes; what keeps a block from
being decided a second time is how few come back. Both are reasoned in ADR 21.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NamedTuple

from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.node.home import HomeError
from kerege.node.network.layout import Member, Network
from kerege.node.network.status import OTHERWISE, SECONDS

_PROPOSE, _PREVOTE, _PRECOMMIT = 1, 2, 3
"""Steps of a round, as an engine remembers its last vote."""
_KINDS = (("prevotes", _PREVOTE), ("precommits", _PRECOMMIT))
_SHOWN = 12
"""Digits of a validator's address that stand in a vote as it is told."""
_PAGE = "100"

Memory = dict[str, Any]


class _Told(NamedTuple):
    """What an engine tells of the block that it decides."""

    name: str
    address: str
    height: int
    """Of the block that is being decided."""
    newest: int
    """Height of the newest one that is."""
    round: int
    step: int
    powers: dict[str, int]
    """Votes by address."""
    votes: list[tuple[int, int, str]]
    """Those it has: round, step, and the vote as it is told."""

    @property
    def standing(self) -> str:
        return f"{self.name} at {self.height}/{self.round}/{self.step}"


def memory_after_halt(network: Network, member: Member, address: str, agreed: str, lost: Sequence[str]) -> Memory:
    """What a validator is to remember that comes back to a ledger which stands still.

    `address`: of its consensus key. `lost`: other members without memory of their votes, those that came back before it
    included. `agreed`: height and round at which it votes again, `42/0`, which all institutions have confirmed. Raises
    `HomeError` where that is not so, with what they are to confirm; where the others can go on without it; and where
    nobody may come back, for a block could be decided a second time.
    """
    away = {network.find(name).name for name in lost}
    if member.name in away:
        reason = f"{member.name} is who comes back: --lost names the others whose memory of votes is gone."
        raise HomeError(reason)
    told = _ask_all([other for other in network.members if other is not member])
    _check_answers(network, member, told, away)
    remember = [each for each in told.values() if each.name not in away]
    voting = [each for each in remember if each.powers.get(each.address)]
    if not voting:
        raise HomeError(_told_hopeless("nobody remembers its votes", "the next block"))
    first = _check_together(voting, remember)
    own = first.powers.get(address.upper(), 0)
    if not own:
        reason = f"{member.name} has no vote about block {first.height}: leave --after-halt out, it begins anew."
        raise HomeError(reason)
    back = [each for each in told.values() if each.name in away]
    silent = [each for each in network.validators if each.name in away - set(told)]
    _check_known(first, {address.upper(), *(each.address for each in told.values())}, len(silent))
    _check_few(member, first, sum(first.powers.get(each.address, 0) for each in voting), own, back)
    last = max((first.round, _PROPOSE), *(_votes_of(address.upper(), each) for each in remember))
    _check_agreed(member, first, remember, back, sorted(away - set(told)), agreed)
    return {"height": str(first.height), "round": last[0], "step": last[1]}


def _ask_all(members: Sequence[Member]) -> dict[str, _Told]:
    """By name, those that answer."""
    with ThreadPoolExecutor(max(1, len(members))) as pool:
        return {each.name: each for each in pool.map(_ask, members) if each is not None}


def _ask(member: Member) -> _Told | None:
    rpc = Rpc(member.rpc_url, SECONDS)
    try:
        with rpc.bounded(SECONDS):
            status, state = rpc.call("status"), rpc.call("consensus_state")["round_state"]
            newest = int(status["sync_info"]["latest_block_height"])
            height, round_, step = map(int, state["height/round/step"].split("/"))
            powers = _read_powers(rpc, newest + 1)
            address = str(status["validator_info"]["address"])
            return _Told(member.name, address, height, newest, round_, step, powers, _read_votes(state))
    except (RpcError, Unreachable, *OTHERWISE):
        return None
    finally:
        rpc.close()


def _read_powers(rpc: Rpc, height: int) -> dict[str, int]:
    """Of every page: without some of them the whole would be taken for less."""
    powers = dict[str, int]()
    for page in count(1):
        told, known = rpc.call("validators", height=str(height), page=str(page), per_page=_PAGE), len(powers)
        powers |= {str(each["address"]): int(each["voting_power"]) for each in told["validators"]}
        if len(powers) >= int(told["total"]):
            break
        if len(powers) == known:
            raise ValueError("a page with nobody who was not on those before")
    return powers


def _read_votes(state: dict[str, Any]) -> list[tuple[int, int, str]]:
    if not isinstance(state["height_vote_set"], list) or not state["height_vote_set"]:
        raise TypeError("an engine tells the votes of each round")
    return [
        (int(each["round"]), step, str(vote))
        for each in state["height_vote_set"]
        for kind, step in _KINDS
        for vote in each[kind]
    ]


def _check_answers(network: Network, member: Member, told: dict[str, _Told], away: set[str]) -> None:
    """Each that remembers its votes must tell where it stands, the node as well: it may have a newer block."""
    known = {*told, *away, member.name}
    silent = ", ".join(each.name for each in network.members if each.name not in known)
    if silent:
        reason = (
            f"{silent} gave no answer, and nobody else knows what was voted there: start whoever is down, or name with "
            "--lost each whose memory of votes is gone for ever."
        )
        raise HomeError(reason)


def _check_together(voting: Sequence[_Told], all_: Sequence[_Told]) -> _Told:
    """The one in the highest round, where all of them decide the same block."""
    heights = {each.height for each in voting} | {each.newest + 1 for each in voting}
    newest = max((each.newest for each in all_), default=0)
    if heights != {newest + 1}:
        told = ", ".join(f"{each.name} has block {each.newest}" for each in all_)
        reason = f"those that remember do not stand at one height ({told}): wait until they have reached one another."
        raise HomeError(reason)
    return max(voting, key=lambda each: each.round)


def _check_known(first: _Told, addresses: set[str], silent: int) -> None:
    """Each validator of the block is a member here: one that came later may remember, or have come back, unheard of."""
    strangers = len(set(first.powers) - addresses)
    if strangers > silent:
        reason = (
            f"of {len(first.powers)} validators of block {first.height} {strangers - silent} are no members known "
            "here: let them be known with `kerege network introduce`, and answer."
        )
        raise HomeError(reason)


def _check_few(member: Member, first: _Told, held: int, own: int, back: Sequence[_Told]) -> None:
    """Raise `HomeError` where too many come back, or nobody has to.

    A block that somebody decided unseen has the votes of a quorum, so that of those that remember all but `missed` hold
    to it. These and whoever comes back must stay below a quorum.
    """
    whole = sum(first.powers.values())
    quorum = 2 * whole // 3 + 1
    missed = whole - quorum
    if held >= quorum:
        reason = (
            f"{held} of {whole} votes remember and answer, which decide without {member.name}: leave --after-halt out."
        )
        raise HomeError(reason)
    if missed + quorum - held >= quorum:
        raise HomeError(_told_hopeless(f"only {held} of {whole} votes remember", f"block {first.height}"))
    returned = sum(first.powers.get(each.address, 0) for each in back)
    if missed + returned + own >= quorum:
        told = " and ".join(each.name for each in back)
        if not told:
            raise HomeError(_told_hopeless(f"{member.name} alone has {own} of {whole} votes", f"block {first.height}"))
        reason = (
            f"{told} answers without memory of its votes, and {member.name} would be one too many: let blocks be "
            f"decided first and begin {member.name} anew without --after-halt, or stop {told} and do that with it."
        )
        raise HomeError(reason)


def _told_hopeless(why: str, what: str) -> str:
    return (
        f"{why}: with as many more as decide, {what} could be decided a second time, so that nobody may come back "
        "without its memory. See `More lost their disks than may` in docs/operating/recover.md."
    )


def _votes_of(address: str, told: _Told) -> tuple[int, int]:
    """Round and step of the last vote that an engine has of a validator; before all of them where it has none."""
    place = f":{address[:_SHOWN]} {told.height}/"
    return max(((round_, step) for round_, step, vote in told.votes if place in vote), default=(0, 0))


def _check_agreed(
    member: Member, first: _Told, remember: Sequence[_Told], back: Sequence[_Told], away: Sequence[str], agreed: str
) -> None:
    """Raise `HomeError` with what all institutions are to confirm, where they have not."""
    wanted = f"{first.height}/{first.round}"
    if agreed != wanted:
        told = ", ".join(each.standing for each in remember)
        before = [each.name for each in back]
        gone = " and ".join([member.name, *before, *away])
        others = [f"{' and '.join(before)} came back before it"] if before else []
        others += [f"{' and '.join(away)} will vote about no block up to {first.height + 1}"] if away else []
        stay = ", ".join(others) or "nobody else is missing"
        reason = (
            f"nothing was changed. {member.name} would vote about block {first.height} from round {first.round} on, as "
            f"those that remember stand ({told}); {stay}. Let every institution confirm this, and that the old disks "
            f"and processes of {gone} are gone for ever; then run it again with --after-halt {wanted}."
        )
        raise HomeError(reason)
