"""What one sender floods a pool with takes nobody's place: it is turned away, left out, and soon gone."""

import itertools
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from kerege.consensus import lines, pool, unanswered
from kerege.consensus.codes import APPLIED, BUSY, NOT_A_TRANSACTION
from kerege.consensus.cometbft import messages as m
from kerege.consensus.embedded import wall_clock
from kerege.consensus.lines import OUT_OF_TURN, OUT_OF_TURN_BYTES, Lines
from kerege.kernel.crypto import ED25519
from kerege.kernel.errors import TooManyOutOfTurn, TooManyWaiting, WrongSequence
from kerege.kernel.module import Modules
from kerege.kernel.transaction import Transaction
from kerege.modules import MODULES
from kerege.modules.accounts.messages import RotateKey
from kerege.modules.bank.messages import Transfer
from kerege.testing import names
from kerege.testing.members import wait_for
from tests.consensus.member import Member, genesis, pay, signed
from tests.consensus.test_parcels import CHECKED, PEOPLE, Decided, forged, pack

FLOODER, HONEST = PEOPLE[0], PEOPLE[1:21]


@pytest.fixture(params=CHECKED)
def checked(request: pytest.FixtureRequest) -> str:
    """Where signatures are checked: what counts for whom is the same by both."""
    return str(request.param)


@pytest.fixture
def decided(checked: str) -> Decided:
    return Decided(checked=checked)


def run_of(count: int, first: int = 0, **more: Any) -> list[bytes]:
    """Of the flooder; beyond a gap where it does not begin with the first."""
    return [pay(FLOODER, PEOPLE[1], first + number, **more) for number in range(count)]


def honest(sequence: int = 0) -> list[bytes]:
    return [pay(who, FLOODER, sequence) for who in HONEST]


def offer(decided: Decided, raws: Sequence[bytes]) -> list[m.ResponseCheckTx]:
    return decided.replica.check_txs([m.RequestCheckTx(tx=raw) for raw in raws])


# What may wait


def test_beyond_a_gap_few_may_wait_and_who_sends_more_is_told_why(decided):
    answers = offer(decided, run_of(500, 1))
    assert [answer.code for answer in answers] == [APPLIED] * OUT_OF_TURN + [BUSY] * (500 - OUT_OF_TURN)
    told = answers[-1]
    assert told.codespace == TooManyOutOfTurn.code
    facts = f"sender={names.address(FLOODER).hex()}", "sequence=500", "expected=0", "waiting=64", "retry_after=1000"
    assert all(fact in told.log for fact in facts), told.log
    assert decided.check(*honest()) == [APPLIED] * 20
    assert decided.check(*run_of(1)) == [APPLIED], "what closes the gap is always welcome"
    assert decided.check(*run_of(100, 65)) == [APPLIED] * 100, "and then what comes after it"


def test_neither_lanes_nor_rivals_nor_large_ones_get_more(decided):
    lanes = [signed(FLOODER, *transfer(), sequence=1 + n, lane=lane) for n in range(20) for lane in range(16)]
    assert decided.check(*lanes).count(APPLIED) == OUT_OF_TURN
    rivals = [pay(PEOPLE[1], PEOPLE[2], 0, amount) for amount in range(1, 200)]
    assert decided.check(*rivals).count(APPLIED) == 1 + OUT_OF_TURN
    large = [signed(PEOPLE[2], *transfer(64), sequence=1 + n) for n in range(OUT_OF_TURN)]
    codes = decided.check(*large)
    assert codes.count(APPLIED) == min(OUT_OF_TURN, OUT_OF_TURN_BYTES // len(large[0]))
    assert decided.check(pay(FLOODER, PEOPLE[1])) == [APPLIED]


def transfer(count: int = 1) -> list[Any]:
    return [Transfer(names.address(PEOPLE[1]), "KGS", 1)] * count


def test_a_long_line_of_one_sender_is_taken_and_runs_in_order(decided):
    line = run_of(1_500)
    assert decided.check(*line[::-1][-30:]) == [APPLIED] * 30, "also where neighbours came by different ways"
    assert decided.check(*line[30:]) == [APPLIED] * 1_470
    chosen = decided.prepare(*line[::-1])
    assert chosen == line
    assert [result.code for result in decided.decide(*chosen).tx_results] == [APPLIED] * 1_500


def test_of_one_sender_a_share_may_wait_and_the_others_find_their_room(monkeypatch):
    monkeypatch.setattr(lines, "MAXIMUM_OF_ONE", 100)
    decided, line = Decided(), run_of(150)
    answers = offer(decided, line)
    assert [answer.code for answer in answers] == [APPLIED] * 100 + [BUSY] * 50
    assert answers[-1].codespace == TooManyWaiting.code
    assert all(fact in answers[-1].log for fact in ("waiting=100", "limit=100", "retry_after=1000"))
    assert decided.check(*honest()) == [APPLIED] * 20
    decided.decide(*line[:60])
    assert decided.check(*line[60:100], again=True) == [APPLIED] * 40
    assert decided.check(*line[100:]) == [APPLIED] * 50


def test_a_parcel_is_turned_away_only_where_nothing_in_it_may_wait(decided):
    offer(decided, run_of(OUT_OF_TURN, 1))
    assert decided.check(pack(*run_of(20, 200))) == [BUSY]
    assert decided.check(pack(*run_of(20, 200), honest()[0])) == [APPLIED]


def test_what_a_gateway_says_in_anothers_name_takes_nothing_of_its_share(checked, monkeypatch):
    """Forged, or signed with a key that is not the sender's."""
    monkeypatch.setattr(lines, "MAXIMUM_OF_ONE", 50)
    decided, victim = Decided(checked=checked), HONEST[0]
    bad = [forged(pay(victim, FLOODER, number)) for number in range(60)]
    parcel = pack(*bad, *run_of(2))
    assert decided.check(parcel) == [APPLIED]
    good = [pay(victim, FLOODER, number) for number in range(50)]
    assert decided.check(*good) == [APPLIED] * 50
    chosen = decided.prepare(parcel, *good)
    assert chosen == [parcel, *good]
    assert [result.code for result in decided.decide(*chosen).tx_results] == [APPLIED] * 51


def test_what_came_in_parcels_counts_for_its_sender(checked, monkeypatch):
    """Nothing more is taken of one that fills its share, alone or packed, until some ran; the others have room."""
    monkeypatch.setattr(lines, "MAXIMUM_OF_ONE", 60)
    decided, line = Decided(checked=checked), run_of(100)
    parcels = [pack(*line[:30]), pack(*line[30:60])]
    assert decided.check(*parcels) == [APPLIED] * 2
    until_proved(decided)
    answers = offer(decided, [*line[60:70], pack(*line[70:])])
    assert [answer.code for answer in answers] == [BUSY] * 11
    assert {answer.codespace for answer in answers} == {TooManyWaiting.code}
    assert decided.check(*honest(), pack(*honest(1))) == [APPLIED] * 21
    decided.decide(parcels[0])
    assert decided.check(parcels[1], again=True) == [APPLIED]
    assert decided.check(*line[60:100]) == [APPLIED] * 30 + [BUSY] * 10


def test_what_came_in_a_parcel_closes_a_turn_for_what_comes_behind(decided):
    line = run_of(2 * OUT_OF_TURN + 10)
    assert decided.check(pack(*line[:10])) == [APPLIED]
    until_proved(decided)
    assert decided.check(*line[10:]) == [APPLIED] * 2 * OUT_OF_TURN, "in line, all of them"


def until_proved(decided: Decided) -> None:
    """Until the verdicts on what came in parcels are there."""
    wait_for(lambda: not decided.replica._ahead.waiting())


# What goes into a block


def test_a_flood_takes_no_place_from_what_can_run(decided):
    beyond, rivals = run_of(5_000, 1), [pay(FLOODER, PEOPLE[1], 0, amount) for amount in range(6, 3_000)]
    load = honest()
    first = run_of(1)
    assert decided.check(*first, *load) == [APPLIED] * 21
    room = sum(len(raw) + 3 for raw in (*first, *load)) + 100
    assert decided.prepare(*beyond[1:], *first, *rivals, *load, room=room) == [*first, *load]


def test_what_is_behind_something_that_stands_later_comes_after_it(decided):
    """A single one before the parcel with those before it, and the other way round."""
    line = run_of(20)
    assert decided.prepare(line[10], pack(*line[:10])) == [pack(*line[:10]), line[10]]
    assert decided.prepare(pack(*line[1:10]), line[0]) == [line[0], pack(*line[1:10])]
    assert decided.prepare(pack(*line[2:10]), line[0]) == [line[0]]
    mixed = pack(line[5], honest()[0])
    assert decided.prepare(mixed) == [mixed], "in whole, for what can run of it"


def test_a_key_that_is_no_longer_the_senders_leaves_the_pool(decided):
    """Signed ahead with a key that the first of them replaces: they look as if they could run until it has."""
    signer, other = names.signer(FLOODER), SigningKey(sha256(b"other").digest())
    rotate = signed(FLOODER, RotateKey(signer.key, ED25519, bytes(other.verify_key)))
    behind = run_of(50, 1)
    assert decided.check(rotate, *behind) == [APPLIED] * 51
    decided.decide(rotate)
    assert decided.check(*behind, again=True) == [NOT_A_TRANSACTION] * 50


def test_what_cannot_run_leaves_the_pool_after_a_while_and_what_can_stays(checked):
    now = wall_clock()
    times = [now]
    decided = Decided(now, lambda: times[0], checked=checked)
    beyond, load = run_of(10, 5), honest(1)[:3]
    parcel = pack(*run_of(5, 100))
    assert decided.check(*beyond, *load, *honest()[:3], parcel) == [APPLIED] * 17
    decided.decide()
    times[0] += pool.IDLE
    again = [*beyond, *load, parcel]
    assert decided.check(*again, again=True) == [APPLIED] * 14
    decided.decide(*honest()[:2])
    times[0] += pool.IDLE + 1
    codes = decided.check(*again, again=True)
    assert codes == [NOT_A_TRANSACTION] * 10 + [APPLIED] * 2 + [APPLIED, NOT_A_TRANSACTION]
    assert offer(decided, [beyond[0]])[0].code == APPLIED, "it may come again"


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(50, 400))
def test_beside_any_flood_all_that_is_honest_runs_in_the_next_blocks(random, size):
    """Some parts of the load come in parcels, the flood is gapped and rival, whatever the order."""
    decided = Decided()
    flood = [pay(FLOODER, PEOPLE[1], random.randrange(1, 90_000), 1 + n) for n in range(size)]
    load = [pay(who, FLOODER, sequence) for who in HONEST for sequence in range(4)]
    parcels = [pack(*load[at : at + 8]) for at in range(0, 40, 8)]
    offered: list[bytes] = [*parcels, *load[40:], *flood]
    random.shuffle(offered)
    waiting = [raw for raw, code in zip(offered, decided.check(*offered), strict=True) if code == APPLIED]
    assert len(waiting) <= len(parcels) + 40 + OUT_OF_TURN
    done: list[bytes] = []
    for _ in range(3):
        chosen = decided.prepare(*waiting, room=12_000)
        assert decided.accepts(*chosen)
        assert not set(chosen) & set(flood)
        assert [result.code for result in decided.decide(*chosen).tx_results] == [APPLIED] * len(chosen)
        done += chosen
        waiting = [raw for raw in waiting if raw not in set(chosen)]
        codes = decided.check(*waiting, again=True)
        waiting = [raw for raw, code in zip(waiting, codes, strict=True) if code == APPLIED]
    assert set(done) == {*parcels, *load[40:]}


# A real engine


@pytest.mark.engine
def test_a_flood_into_a_real_engine_takes_no_block_from_an_honest_load(tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "IDLE", 4_000)
    with Member(tmp_path, genesis(PEOPLE)) as member:
        codes = [member.rpc.submit(raw) for raw in run_of(300, 1)]
        assert codes == [APPLIED] * OUT_OF_TURN + [BUSY] * (300 - OUT_OF_TURN)
        assert waiting_in(member) == OUT_OF_TURN
        for sequence in range(5):
            height = member.rpc.height()
            answers = member.submitting.submit(honest(sequence)).wait(20)
            assert all(answer.receipt is not None for answer in answers)
            assert max(answer.height for answer in answers) <= height + 5
        assert member.rpc.transactions(0, member.rpc.height()) == 100, "of the flood nothing came into a block"
        wait_for(lambda: not waiting_in(member))
        assert member.submitting.send(pay(FLOODER, PEOPLE[1])).receipt is not None


def waiting_in(member: Member) -> int:
    return int(member.rpc.call("num_unconfirmed_txs")["total"])


@pytest.mark.engine
def test_a_node_holds_so_much_of_one_sender_and_tells_the_rest_why(tmp_path, monkeypatch):
    monkeypatch.setattr(unanswered, "MAXIMUM_OF_ONE", 600)
    with Member(tmp_path, genesis(PEOPLE)) as member:
        beyond = member.submitting.submit(run_of(700, 1))
        assert all(answer.receipt is not None for answer in member.submitting.submit(honest()).wait(5))
        reasons = [type(answer.reason) for answer in beyond.wait(20)]
        held = unanswered.HELD_OF_ONE
        assert reasons == [WrongSequence] * held + [TooManyOutOfTurn] * (600 - held) + [TooManyWaiting] * 100
        rivals = member.submitting.submit([pay(FLOODER, PEOPLE[1], 0, amount) for amount in range(1, 100)])
        receipts = [answer.receipt is not None for answer in rivals.wait(20)]
        assert receipts == [True] + [False] * 98
        assert member.rpc.transactions(0, member.rpc.height()) == 21, "one of the rivals came into a block"
        line = member.submitting.submit(run_of(600, 1)[::-1])
        assert all(answer.receipt is not None for answer in line.wait(30))


# Lines, by a plain oracle


class Plain:
    """What waits, as a list: every question walks it."""

    def __init__(self) -> None:
        self.waiting: list[Transaction] = []

    def reach(self, lane: int, expected: int) -> int:
        turns = {each.body.sequence for each in self.waiting if each.body.lane == lane}
        return next(turn for turn in itertools.count(expected) if turn not in turns)

    def out_of_turn(self, expected: Sequence[int]) -> int:
        found = 0
        for lane, turn in enumerate(expected):
            ahead = [each for each in self.waiting if each.body.lane == lane and each.body.sequence >= turn]
            found += len(ahead) - (self.reach(lane, turn) - turn)
        return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["send", "lose", "run"]), st.integers(0, 1), st.integers(0, 9)), max_size=60))
def test_lines_are_what_a_plain_list_says(steps):
    """Two lanes of one sender: what is let in, lost and run, with the bound on what is out of turn at three."""
    held, plain, expected = Lines(1 << 20, 1_000, out_of_turn=3), Plain(), [0, 0]
    decode = Modules(MODULES).decoder.transaction
    for salt, (what, lane, at) in enumerate(steps):
        asked = decode(signed(FLOODER, *transfer(), sequence=expected[lane] + at, lane=lane, salt=salt))
        if what == "send":
            full = plain.out_of_turn(expected) >= 3 and plain.reach(lane, expected[lane]) != asked.body.sequence
            if full:
                with pytest.raises(TooManyOutOfTurn):
                    held.check(asked, expected[lane])
            else:
                held.check(asked, expected[lane])
                held.add(asked, expected[lane])
                plain.waiting.append(asked)
        elif what == "lose" and plain.waiting:
            held.remove(plain.waiting.pop(at % len(plain.waiting)))
        elif what == "run":
            expected[lane] += at
            used = [each for each in plain.waiting if each.body.sequence < expected[each.body.lane]]
            for each in used:
                held.remove(each)
            plain.waiting = [each for each in plain.waiting if each not in used]
        for each in plain.waiting:
            turn = expected[each.body.lane]
            reach = plain.reach(each.body.lane, turn)
            assert held.may_run(each, turn) == (turn <= each.body.sequence <= reach)
