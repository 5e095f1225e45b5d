"""Legal sequences of calls, drawn from the engine's published grammar (abci++_comet_expected_behavior.md).

    clean-start      = init-chain [state-sync] consensus-exec
    state-sync       = *state-sync-attempt success-sync info
    recovery         = info consensus-exec
    consensus-height = *consensus-round decide commit
    proposer         = *got-vote [prepare-proposal [process-proposal]] [extend]
    non-proposer     = *got-vote [process-proposal] [extend]
    extend           = *got-vote extend-vote *got-vote

What the grammar leaves open is drawn too: a round has its own block, the decided one is any round's or one that this
process never saw; a process may die after any call and recovers; checks, queries and echoes come at any point.
"""

from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256

from hypothesis import strategies as st


@dataclass(frozen=True)
class Block:
    """A proposed block; its hash is of its transactions, so two rounds may propose the same."""

    txs: tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        return sha256(repr(self.txs).encode()).digest()


class Call(Enum):
    PREPARE = "prepare_proposal"
    PROCESS = "process_proposal"
    EXTEND = "extend_vote"
    VERIFY = "verify_vote_extension"
    DECIDE = "finalize_block"
    COMMIT = "commit"
    DIE = "the process is killed"
    ANY = "what may come at any time"


@dataclass(frozen=True)
class Step:
    call: Call
    block: Block = Block(())


@dataclass(frozen=True)
class Run:
    """From the first start on; `attempts` are state syncs that fail before the one that does not."""

    genesis: dict[str, str] = field(default_factory=dict)
    synced: bool = False
    attempts: tuple[int, ...] = ()
    """Chunks that were applied before each attempt was given up."""
    heights: tuple[tuple[Step, ...], ...] = ()


keys = st.sampled_from([f"k{n}" for n in range(12)])
transactions = st.one_of(
    st.builds(lambda key, value: f"{key}={value}".encode(), keys, st.integers(0, 9)),
    st.binary(max_size=12),
)
"""Few keys, so that blocks collide; and bytes that are no transactions, for a proposer may be anybody."""
blocks = st.lists(transactions, max_size=6).map(lambda txs: Block(tuple(txs)))


@st.composite
def rounds(draw: st.DrawFn) -> list[Step]:
    block = draw(blocks)
    votes = st.integers(0, 2).map(lambda count: [Step(Call.VERIFY, block)] * count)
    steps = list(draw(votes))
    if draw(st.booleans()):  # proposer
        if draw(st.booleans()):
            steps.append(Step(Call.PREPARE, block))
            if draw(st.booleans()):
                steps.append(Step(Call.PROCESS, block))
    elif draw(st.booleans()):
        steps.append(Step(Call.PROCESS, block))
    if draw(st.booleans()):
        steps += [*draw(votes), Step(Call.EXTEND, block), *draw(votes)]
    return steps


@st.composite
def heights(draw: st.DrawFn) -> tuple[Step, ...]:
    played = draw(st.lists(rounds(), max_size=4))
    seen = [step.block for steps in played for step in steps]
    decided = draw(st.one_of(st.sampled_from(seen), blocks) if seen else blocks)
    steps = [step for steps in played for step in steps] + [Step(Call.DECIDE, decided), Step(Call.COMMIT)]
    for _ in range(draw(st.integers(0, 3))):
        steps.insert(draw(st.integers(0, len(steps))), Step(Call.ANY))
    if draw(st.integers(0, 3)) == 0:
        steps.insert(draw(st.integers(0, len(steps))), Step(Call.DIE))
    return tuple(steps)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    synced = draw(st.booleans())
    return Run(
        genesis=draw(st.dictionaries(keys, st.just("genesis"), max_size=2)),
        synced=synced,
        attempts=tuple(draw(st.lists(st.integers(0, 3), max_size=2))) if synced else (),
        heights=tuple(draw(st.lists(heights(), min_size=1, max_size=5))),
    )
