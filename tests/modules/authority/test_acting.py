"""Who acts where and when: dated appointments, offices that close, boards that act by m of n, node keys."""

import pytest

from kerege.kernel.codec import encode
from kerege.kernel.messages import Message
from kerege.kernel.tick import Tick
from kerege.modules.accounts.messages import CloseAccount
from kerege.modules.authority import errors
from kerege.modules.authority.events import ProposalWritten
from kerege.modules.authority.keeper import Authority
from kerege.modules.authority.messages import (
    Appoint,
    Approve,
    EndAppointment,
    Propose,
    RegisterNodeKey,
    SetBoard,
    SetInstitution,
    SetOffice,
    SetRole,
    WithdrawProposal,
)
from kerege.modules.authority.rules import possession_payload, proposal_content
from kerege.modules.authority.state import NODE_KEYS, PROPOSALS, ROLES
from kerege.modules.authority.types import NodeKeyKind, ProposalStatus
from kerege.modules.bank.messages import Transfer
from kerege.modules.policy.messages import SetParameter
from kerege.testing import names
from kerege.testing.country import UNVERIFIED, found
from kerege.testing.ledger import HOUR, LEDGER, START, Simulator

OFFICE = "ЗАГС-1"
POSTS = {
    "rita": ("registrar", OFFICE),
    "pat": ("personnel-officer", "ЗАГС-2"),
    "judge": ("judge", "СУД-1"),
    "node": ("gateway", "МЦР-1"),
    "operator": ("system-operator", "МЦР-1"),
}
BOARDS = {"government": (["pm", "minister", "deputy"], 2), "central-bank": (["banker"], 1)}
RITA, BOB, APPOINTMENT = names.address("rita"), names.address("bob"), names.random_like("a1", 16)
PROPOSAL = names.random_like("p", 16)


@pytest.fixture
def ledger() -> Simulator:
    return Simulator(found(["alice", "bob"], POSTS, BOARDS, money={"alice": 1000, "deputy": 1000}))


def acting(ledger: Simulator, time: int | None = None) -> Authority:
    return ledger.machine.context(ledger.time if time is None else time).use(Authority)


def approval(ledger: Simulator, proposal: bytes) -> Approve:
    """The approval of what stands under an id."""
    row = ledger.read(PROPOSALS, proposal)
    return Approve(proposal, proposal_content(row.board, row.messages, row.expires))


def decide(ledger: Simulator, *messages: Message, name: str = "p") -> str:
    """Two members pass a proposal; the code of the last approval."""
    proposal = names.random_like(name, 16)
    raws = [encode(message) for message in messages]
    assert ledger.send("pm", Propose(proposal, "government", raws, ledger.time + HOUR)).code == ""
    return ledger.send("minister", approval(ledger, proposal)).code


def test_an_appointment_gives_its_role_at_its_office_from_its_day_to_its_day(ledger):
    since, until = ledger.time + HOUR, ledger.time + 3 * HOUR
    assert ledger.send("pat", Appoint(APPOINTMENT, BOB, OFFICE, "registrar", since, until)).code == ""
    ledger.advance(HOUR - 1)
    assert not acting(ledger).holds(BOB, "registrar")
    for moment, held in ((since - 1, False), (since, True), (until - 1, True), (until, False)):
        view = acting(ledger, moment)
        assert view.holds(BOB, "registrar") == held
        assert view.holds_at(BOB, "registrar", OFFICE) == held
        assert not view.holds_at(BOB, "registrar", "ЗАГС-2")
        assert (view.find_acting(BOB, ("judge", "registrar"), OFFICE) is not None) == held
    found_acting = acting(ledger, since).acting_as_any(BOB, ("registrar",), OFFICE)
    assert (found_acting.appointment, found_acting.role, found_acting.office) == (APPOINTMENT, "registrar", OFFICE)
    with pytest.raises(errors.NotActingAt):
        acting(ledger, since).acting_as_any(BOB, ("judge",), OFFICE)
    with pytest.raises(errors.NotActingAt):
        acting(ledger, until).acting_at(BOB, OFFICE)


def test_what_was_ended_gives_no_role_and_stays_on_record(ledger):
    ledger.send("pat", Appoint(APPOINTMENT, BOB, OFFICE, "registrar", ledger.time, None))
    assert acting(ledger).holds(BOB, "registrar")
    ledger.advance(5)
    assert ledger.send("pat", EndAppointment(APPOINTMENT)).code == ""
    assert not acting(ledger).holds(BOB, "registrar")
    row = ledger.rows()["authority.appointment"][APPOINTMENT]
    assert (row.since, row.ended) == (START, START + 5), "the past can be asked: it was in force in between"
    assert ledger.send("pat", Appoint(APPOINTMENT, BOB, OFFICE, "registrar", ledger.time, None)).code == "authority.5"


def test_a_closed_office_gives_no_role(ledger):
    assert acting(ledger).holds(RITA, "registrar")
    closing = SetOffice(OFFICE, "office", "ЗАГС", "", 0, ledger.time + HOUR)
    assert decide(ledger, closing) == ""
    assert acting(ledger).holds(RITA, "registrar")
    assert not acting(ledger, ledger.time + HOUR).holds(RITA, "registrar")
    with pytest.raises(errors.UnknownOffice):
        acting(ledger, ledger.time + HOUR).office(OFFICE)


def test_a_board_acts_by_m_of_n_and_all_or_nothing(ledger):
    good, bad = SetRole("notary", []), SetInstitution("tax", "nothing", [])
    assert decide(ledger, good, bad) == "authority.3"
    assert ledger.read(ROLES, "notary") is None, "nothing half done"
    row = ledger.read(PROPOSALS, PROPOSAL)
    assert (row.status, row.approvals) == (ProposalStatus.OPEN, [names.address("pm")])
    assert decide(ledger, SetInstitution("nothing", "", []), name="q") == ""
    assert ledger.send("deputy", approval(ledger, PROPOSAL)).code == "", "the reason is gone: the same proposal passes"
    assert ledger.read(ROLES, "notary") is not None
    assert ledger.send("minister", approval(ledger, PROPOSAL)).code == "authority.12"
    statuses = [e.row.status for e in ledger.events() if isinstance(e, ProposalWritten) and e.proposal == PROPOSAL]
    assert statuses == [ProposalStatus.OPEN, ProposalStatus.EXECUTED]


def test_a_proposal_cannot_spend_the_money_of_who_approves_last(ledger):
    transfer = encode(Transfer(names.address("pm"), "KGS", 1000))
    refused = ledger.send("pm", Propose(PROPOSAL, "government", [transfer], ledger.time + HOUR))
    assert refused.code == "kernel.1"
    nested = encode(Approve(PROPOSAL, bytes(32)))
    assert ledger.send("pm", Propose(PROPOSAL, "government", [nested], ledger.time + HOUR)).code == "kernel.1"


def test_a_board_speaks_for_itself_only(ledger):
    role = encode(SetRole("notary", []))
    assert ledger.send("banker", Propose(PROPOSAL, "central-bank", [role], ledger.time + HOUR)).code == "kernel.1"


def test_approvals_count_while_their_members_sit_on_the_board(ledger):
    role = encode(SetRole("notary", []))
    ledger.send("deputy", Propose(PROPOSAL, "government", [role], ledger.time + HOUR))
    members = sorted(map(names.address, ("pm", "minister")))
    assert decide(ledger, SetBoard("government", members, 2), name="q") == ""
    assert ledger.send("pm", approval(ledger, PROPOSAL)).code == ""
    assert ledger.read(ROLES, "notary") is None, "the deputy's approval counts no more"
    assert ledger.send("minister", approval(ledger, PROPOSAL)).code == ""
    assert ledger.read(ROLES, "notary") is not None


def test_the_approval_of_a_closed_account_counts_no_more(ledger):
    role = encode(SetRole("notary", []))
    ledger.send("deputy", Propose(PROPOSAL, "government", [role], ledger.time + HOUR))
    assert ledger.send("deputy", CloseAccount()).code == ""
    assert ledger.send("pm", approval(ledger, PROPOSAL)).code == ""
    assert ledger.read(ROLES, "notary") is None
    assert ledger.send("minister", approval(ledger, PROPOSAL)).code == ""
    assert ledger.read(ROLES, "notary") is not None


def test_a_proposal_lasts_until_it_expires_or_is_withdrawn(ledger):
    role = encode(SetRole("notary", []))
    for name in ("p", "q"):
        ledger.send("pm", Propose(names.random_like(name, 16), "government", [role], ledger.time + HOUR))
    assert ledger.send("minister", WithdrawProposal(PROPOSAL)).code == "authority.10"
    assert ledger.send("pm", WithdrawProposal(PROPOSAL)).code == ""
    assert ledger.send("minister", approval(ledger, PROPOSAL)).facts["status"] == "withdrawn"
    ledger.advance(HOUR + 1)
    assert ledger.send("minister", approval(ledger, names.random_like("q", 16))).facts["status"] == "expired"


def test_a_rule_of_a_board_is_in_force_in_the_next_transaction_of_the_block(ledger):
    rule = encode(SetParameter("test.days", 5, ledger.time, None, UNVERIFIED))
    ledger.send("pm", Propose(PROPOSAL, "government", [rule], ledger.time + HOUR))
    assert ledger.send("minister", approval(ledger, PROPOSAL)).code == ""
    assert ledger.machine.context(ledger.time).parameter("test.days") == 5


def test_only_a_gateway_ticks(ledger):
    assert ledger.send("node", Tick()).code == ""
    assert ledger.send("rita", Tick()).code == "kernel.1"


def test_a_node_key_proves_its_private_half_for_this_ledger_this_institution_and_this_use(ledger):
    node = names.signer("validator")
    key = node.key

    def registration(kind: NodeKeyKind, payload: bytes) -> RegisterNodeKey:
        return RegisterNodeKey("МЦР", kind, key, bytes(node._secret.sign(payload).signature), None)

    right = possession_payload(LEDGER, NodeKeyKind.CHECKPOINT, "МЦР", key)
    wrong = [
        possession_payload("other", NodeKeyKind.CHECKPOINT, "МЦР", key),
        possession_payload(LEDGER, NodeKeyKind.GATEWAY, "МЦР", key),
        possession_payload(LEDGER, NodeKeyKind.CHECKPOINT, "СУД", key),
    ]
    for payload in wrong:
        assert ledger.send("operator", registration(NodeKeyKind.CHECKPOINT, payload)).code == "authority.15"
    assert ledger.send("operator", registration(NodeKeyKind.CHECKPOINT, right)).code == ""
    assert ledger.read(NODE_KEYS, key).kind is NodeKeyKind.CHECKPOINT
    assert acting(ledger).node_key(key).institution == "МЦР"
    assert ledger.machine.full_invariants() == []
