"""What a founding refuses: offers that do not hold, documents that were changed, homes without their keys."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from kerege import proofs
from kerege.kernel.genesis import genesis_hash
from kerege.modules.authority.rules import possession_payload
from kerege.modules.authority.types import NodeKeyKind
from kerege.node.home import HomeError
from kerege.node.network import refusals
from kerege.node.network.ceremony import accept
from kerege.node.network.document import founding_validators
from kerege.node.network.founding import check_derived, read_founding
from kerege.node.network.layout import read_network
from kerege.node.network.offers import Offer, read_offer
from kerege.node.network.ports import EACH
from tests.cli.program import Done, kerege

LEDGER = "kg-trial"
CONTROLLER = "civil-registration-authority"
FOUNDERS = ("national-bank", "digital-ministry", CONTROLLER, "accounts-chamber")
VALIDATOR = ("consensus", "checkpoint", "connection")


def bring(institution: str, number: int, uses: tuple[str, ...] = VALIDATOR, **other: Any) -> Offer:
    """An offer as anybody may sign one with keys that he has: `keys` by use, else some of its own."""
    fresh = {use: SigningKey(bytes([number, at]).ljust(32, b"k")) for at, use in enumerate(uses)}
    secret, registered = fresh | other.pop("has", {}), other.pop("registered", True)
    keys = {use: bytes(key.verify_key) for use, key in secret.items()}
    own: dict[str, Any] = {"ledger": LEDGER, "host": "127.0.0.1", "port": 20_000 + EACH * number, **other}
    registrations = {
        use: key.sign(possession_payload(own["ledger"], NodeKeyKind(use), institution, keys[use])).signature.hex()
        for use, key in secret.items()
        if use != "connection" and registered
    }
    public = {use: key.hex() for use, key in keys.items()}
    bare = Offer(institution=institution, keys=public, registrations=registrations, proofs={}, **own)
    signed = {use: key.sign(bare.payload(use)).signature.hex() for use, key in secret.items()}
    return Offer(institution=institution, keys=public, registrations=registrations, proofs=signed, **own)


def four() -> list[Offer]:
    return [bring(name, number) for number, name in enumerate(FOUNDERS)]


def collect(folder: Path, offers: Sequence[Any], *more: str | Path, ledger: str = LEDGER) -> Done:
    """The coordinator's command over these files."""
    files = []
    for number, each in enumerate(offers):
        raw = each.raw if isinstance(each, Offer) else each if isinstance(each, bytes) else json.dumps(each).encode()
        files.append(folder / f"offer-{number}.json")
        files[-1].write_bytes(raw)
    own = more or ("--dev", folder / "office")
    return kerege("network", "collect", *files, "--ledger", ledger, "--out", folder / "founding.json", *own)


def form(offer: Offer, **changed: Any) -> dict[str, Any]:
    return {**json.loads(offer.raw), **changed}


def without(offer: Offer, signatures: str, use: str) -> dict[str, Any]:
    told = form(offer)
    del told[signatures][use]
    return told


def swapped(offer: Offer, signatures: str) -> dict[str, Any]:
    told = form(offer)
    told[signatures] |= {"consensus": told[signatures]["checkpoint"]}
    return told


def bare(use: str, key: str) -> dict[str, Any]:
    told = form(bring("national-bank", 0))
    told["keys"][use] = key
    return told


TAMPERED = {
    "another address": lambda o: (form(o, host="10.0.0.9"), "wrong signature"),
    "another port": lambda o: (form(o, port=o.port + 8), "wrong signature"),
    "another institution": lambda o: (form(o, institution="digital-ministry"), "wrong signature"),
    "another network's name written over": lambda o: (form(o, ledger="kg-other"), "wrong signature"),
    "a key of somebody else": lambda o: (bare("consensus", bring("x", 9).keys["consensus"]), "wrong signature"),
    "a key of small order": lambda _: (bare("checkpoint", "00" * 32), "nothing is provable"),
    "no curve point": lambda _: (bare("checkpoint", "f" * 64), "nothing is provable"),
    "no proof of blocks": lambda o: (without(o, "proofs", "consensus"), "no signature by its consensus key"),
    "no proof of checkpoints": lambda o: (without(o, "proofs", "checkpoint"), "no signature by its checkpoint key"),
    "no proof of connections": lambda o: (without(o, "proofs", "connection"), "no signature by its connection key"),
    "no registration": lambda _: (bring("national-bank", 0, registered=False).raw, "the registration has no signature"),
    "a registration taken out": lambda o: (without(o, "registrations", "consensus"), "wrong signature"),
    "another key's proof": lambda o: (swapped(o, "proofs"), "wrong signature"),
    "another key's registration": lambda o: (swapped(o, "registrations"), "wrong signature"),
    "a key missing": lambda o: (without(o, "keys", "connection"), "it has keys for checkpoint, consensus"),
    "a proof too many": lambda o: (form(o, proofs={**o.proofs, "gateway": "00" * 64}), "does not bring"),
    "a field more": lambda o: (form(o, power=1_000), "is no offer"),
    "another format": lambda o: (form(o, format="kerege-offer/2"), "is no offer"),
    "a host with a quote": lambda o: (form(o, host='a"\nrpc'), "is no offer"),
    "a folder outside": lambda o: (form(o, institution="../national-bank"), "is no offer"),
    "no JSON": lambda _: (b"{", "is no offer"),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_an_offer_that_does_not_hold(tmp_path, change):
    first, *others = four()
    offered, told = change(first)
    collect(tmp_path, [offered, *others]).one_sentence(told)
    assert not (tmp_path / "founding.json").exists()
    assert not (tmp_path / "office" / "dev-keys").exists()


SAME: dict[str, Callable[[Offer], Offer]] = {
    "institution": lambda _: bring("national-bank", 7),
    "key": lambda _: bring("tax-service", 7, has={"consensus": SigningKey(bytes([0, 0]).ljust(32, b"k"))}),
    "address": lambda o: bring("tax-service", 7, port=o.port + EACH - 1),
}


@pytest.mark.parametrize("what", SAME)
def test_two_offers_of_the_same(tmp_path, what):
    offers = four()
    collect(tmp_path, [*offers, SAME[what](offers[0])]).one_sentence(f"bring the same {what}", "national-bank")


def test_the_same_key_for_two_uses(tmp_path):
    key = SigningKey(b"1" * 32)
    collect(tmp_path, [bring("national-bank", 0, has={"consensus": key, "checkpoint": key})]).one_sentence("two uses")


def test_who_may_run_what(tmp_path):
    node = ("gateway", "connection")
    collect(tmp_path, [*four(), bring("somebody", 7)]).one_sentence("somebody", "may run a validator")
    collect(tmp_path, [*four(), bring("courts", 7, node)]).one_sentence("may run a node", CONTROLLER)
    collect(tmp_path, [*four(), bring(CONTROLLER, 7, node), bring(CONTROLLER, 8, node)]).one_sentence("the same instit")
    collect(tmp_path, [bring(CONTROLLER, 7, node)]).one_sentence("0 validators")


def test_every_offer_must_be_for_this_network(tmp_path):
    collect(tmp_path, four(), ledger="kg-2027").one_sentence("for kg-trial, not for kg-2027")


def test_whose_keys_hold_the_offices_is_said(tmp_path):
    founders = tmp_path / "founders.json"
    founders.write_text(json.dumps({"format": "kerege-founders/1", "officials": []}))
    for more in (("--nation", "kg"), ("--keys", founders, "--dev", tmp_path)):
        collect(tmp_path, four(), *more).one_sentence("say whose keys hold the offices")
    collect(tmp_path, four(), "--keys", founders).one_sentence("the founders' file is unusable")
    assert not (tmp_path / "dev-keys").exists()


def test_officials_bring_keys_of_their_own(tmp_path):
    """Every board is filled, and nothing private is made."""
    posts = {
        "МЮ-1": "minister-justice",
        "НБКР-1": "central-banker",
        "МЦР-1": "system-operator",
        "ЗАГС-000000": "registry-supervisor",
        "СП-1": "auditor",
    }
    officials = [
        {"office": office, "role": role, "key": bytes(SigningKey(bytes([at]) * 32).verify_key).hex()}
        for at, (office, role) in enumerate(posts.items())
    ]
    founders = tmp_path / "founders.json"
    founders.write_text(json.dumps({"format": "kerege-founders/1", "officials": officials[:-1]}))
    collect(tmp_path, four(), "--keys", founders).one_sentence("speaks for accounts-chamber")
    founders.write_text(json.dumps({"format": "kerege-founders/1", "officials": officials}))
    assert collect(tmp_path, four(), "--keys", founders, "--json").json["ledger"] == LEDGER
    founding = read_founding((tmp_path / "founding.json").read_bytes())
    check_derived(founding)
    assert not founding.dev
    assert [each.institution for each in founding_validators(founding.genesis)] == list(FOUNDERS)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_the_order_of_the_files_does_not_matter(tmp_path, order):
    offers = four()
    assert collect(tmp_path, [offers[at] for at in order]).code == 0
    founding = read_founding((tmp_path / "founding.json").read_bytes())
    assert [each.institution for each in founding.offers] == list(FOUNDERS)


def test_a_founding_document_changed_by_a_byte(tmp_path):
    """One of each sort: what is no longer JSON, written otherwise, not proven, or not derived."""
    assert collect(tmp_path, four()).code == 0
    raw = (tmp_path / "founding.json").read_bytes()
    check_derived(read_founding(raw))
    marks = ["kerege-founding", 'nation": "', 'key": "', "ЗАГС", 'ledger": "', 'host": "', 'port": ', 'consensus": "']
    marks += ['proofs": {\n    "checkpoint": "', 'time": "', 'chain_id": "', 'duration": "', 'power": "', 'value": "']
    ends = [raw.index(mark.encode()) + len(mark.encode()) for mark in marks]
    for place in (0, *ends, raw.index(b"app_state") + 9_000, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(HomeError):
            check_derived(read_founding(bytes(changed)))
    told = json.loads(raw)
    turned = json.dumps({**told, "engine": dict(reversed(told["engine"].items()))}, indent=1, ensure_ascii=False)
    deep = raw.replace(b'"app_hash": ""', b'"app_hash": ' + b"[" * 5_000 + b"]" * 5_000)
    for other in (raw + b"\n", turned.encode() + b"\n", deep, b"", b"\xff"):
        with pytest.raises(refusals.FoundingChanged):
            read_founding(other)


def test_a_founding_document_with_another_genesis(tmp_path):
    """Consistent in itself, and by nobody's offers: the coordinator has put a validator of its own in."""
    offers = four()
    assert collect(tmp_path, offers).code == 0
    raw = (tmp_path / "founding.json").read_bytes()
    mine = bring("national-bank", 8)
    for honest, false in zip(offers[0].keys.values(), mine.keys.values(), strict=True):
        raw = raw.replace(honest.encode(), false.encode())
    with pytest.raises(refusals.OfferUnproven):
        read_founding(raw)
    told = json.loads((tmp_path / "founding.json").read_bytes())
    told["offers"][0] = json.loads(mine.raw)
    other = json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"
    with pytest.raises(refusals.FoundingChanged, match="not that of its offers"):
        read_founding(other)


# Homes


def offer(home: Path, institution: str, *more: str, ledger: str = LEDGER) -> Done:
    return kerege("network", "offer", "--home", home, "--ledger", ledger, "--institution", institution, *more)


@pytest.mark.parametrize(
    "words",
    [("../x",), ("a/b",), ("",), ("x", "--host", "a b"), ("x", "--port", "80"), ("x", "--port", "65533")],
)
@pytest.mark.engine
def test_an_offer_that_cannot_be_one(tmp_path, words):
    offer(tmp_path / "home", *words).one_sentence("what was asked for is no offer")
    assert not (tmp_path / "home").exists()


def test_no_offer_without_an_engine(tmp_path, monkeypatch):
    monkeypatch.setenv("KEREGE_ENGINE", "/nowhere")
    offer(tmp_path / "home", "courts").one_sentence("make engine")
    assert not (tmp_path / "home").exists()


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the home of each institution, the founding document, and nothing accepted yet."""
    folder = tmp_path_factory.mktemp("ceremony")
    files = []
    for number, name in enumerate(FOUNDERS[:2]):
        made = offer(folder / name, name, "--port", str(20_000 + 10 * number), "--json")
        assert made.code == 0, made
        files.append(made.json["offer"])
    made = kerege(
        "network", "collect", *files, "--ledger", LEDGER, "--dev", folder / "office", "--out", folder / "founding.json"
    )
    assert made.code == 0, made
    return folder


@pytest.fixture
def homes(founded, tmp_path) -> Path:
    return Path(shutil.copytree(founded, tmp_path / "c"))


def taken(folder: Path, home: str, *more: str) -> Done:
    return kerege("network", "accept", folder / "founding.json", "--home", folder / home, *more)


@pytest.mark.engine
def test_keys_are_drawn_once(homes):
    home = homes / "national-bank"
    before = {path: path.read_bytes() for path in home.rglob("*.json")}
    offer(home, "national-bank").one_sentence("is there already")
    assert {path: path.read_bytes() for path in home.rglob("*.json")} == before


@pytest.mark.engine
def test_an_offer_is_no_network_yet(homes):
    kerege("network", "up", "--home", homes / "national-bank").one_sentence("holds an offer and no network yet")


@pytest.mark.engine
def test_a_home_that_offered_nothing(homes):
    taken(homes, "elsewhere").one_sentence("holds no offer")
    assert not (homes / "elsewhere").exists()


@pytest.mark.engine
def test_an_offer_that_was_left_out(homes):
    offer(homes / "courts", "courts")
    taken(homes, "courts").one_sentence("does not name courts")


@pytest.mark.engine
def test_an_offer_that_was_replaced(homes):
    """Its institution made two and the coordinator took the other one, or somebody offered in its name."""
    offer(homes / "second", "national-bank")
    taken(homes, "second").one_sentence("does not hold the offer of national-bank")


@pytest.mark.parametrize(
    ("file", "use"),
    [
        ("engine/config/priv_validator_key.json", "consensus"),
        ("engine/config/node_key.json", "connection"),
        ("node/checkpoint.key", "checkpoint"),
    ],
)
@pytest.mark.engine
def test_a_private_key_that_is_missing(homes, file, use):
    home = homes / "national-bank"
    path = home / "network" / "national-bank" / file
    other = homes / "digital-ministry" / "network" / "digital-ministry" / file
    for change, told in (
        (path.unlink, "cannot be read"),
        (lambda: path.write_bytes(b"{}"), "is damaged"),
        (lambda: shutil.copyfile(other, path), f"is not the {use} key that was offered"),
    ):
        change()
        taken(homes, "national-bank").one_sentence(file, told)
        assert not (home / "network" / "network.json").exists()


@pytest.mark.engine
def test_another_hash_than_the_agreed_one(homes):
    taken(homes, "national-bank", "--hash", "00" * 32).one_sentence("get the right one")


@pytest.mark.engine
def test_a_document_without_this_releases_pack(homes):
    """Whoever has another pack comes to another genesis, and says so."""
    told = json.loads((homes / "founding.json").read_bytes())
    del told["officials"][0]
    (homes / "founding.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    taken(homes, "national-bank").one_sentence("come to another genesis")


@pytest.mark.engine
def test_accepted_once_and_done_again_where_it_was_killed(homes):
    home = homes / "national-bank"
    first = taken(homes, "national-bank", "--json").json
    assert (first["here"], first["throw_away"]) == (["national-bank"], True)
    taken(homes, "national-bank").one_sentence("is a home already")
    (home / "network" / "network.json").unlink()
    (home / "network" / "national-bank" / "home.json").unlink()
    assert taken(homes, "national-bank", "--json").json == first
    network = read_network(home)
    assert [member.name for member in network.here] == ["national-bank"]
    for command in (("rejoin", "digital-ministry"), ("logs", "--member", "digital-ministry")):
        kerege("network", *command, "--home", home).one_sentence("do it on the machine of digital-ministry")
    kerege("network", "up", "--home", home, "--port", "30999").one_sentence("no node lies here")


@pytest.mark.engine
def test_a_machine_that_others_reach_by_another_address(homes):
    """It listens at its own, is asked there, and the others are told nothing of it."""
    home = homes / "national-bank"
    assert taken(homes, "national-bank", "--listen", "0.0.0.0").code == 0  # noqa: S104 - no engine is started
    text = (home / "network/national-bank/engine/config/config.toml").read_text(encoding="utf-8")
    assert 'laddr = "tcp://0.0.0.0:20000"' in text
    assert read_network(home).find("national-bank").rpc_url == "http://127.0.0.1:20001"


# Who was not there


def trust(founding: Path, time: int, genesis: bytes = b"") -> bytes:
    began = read_founding(founding.read_bytes()).genesis
    return proofs.trust.make_replicated(
        ledger=began.ledger,
        genesis=genesis or genesis_hash(began),
        origin=f"kerege/{began.ledger}",
        chain=proofs.trust.Chain(began.ledger, 1, b"h" * 32, time, 7 * 86_400_000),
        keys=[proofs.TrustedKey("kerege/kg-trial/x", bytes(SigningKey(b"1" * 32).verify_key), 0, None, 10)],
    )


@pytest.mark.engine
def test_who_may_not_join(homes):
    document, file = homes / "founding.json", homes / "trust.json"

    def join(home: str, *more: str) -> Done:
        return kerege("network", "join", document, "--home", homes / home, "--trust", file, *more)

    offer(homes / "courts", "courts")
    offer(homes / "far", "courts", ledger="kg-other")
    file.write_bytes(b"{}")
    join("courts").one_sentence("the trust file is none")
    file.write_bytes(trust(document, 1, b"g" * 32))
    join("courts").one_sentence("that of the trust file")
    file.write_bytes(trust(document, 1))
    join("national-bank").one_sentence("was at the founding")
    join("far").one_sentence("made its offer for kg-other")
    join("courts", "--snapshot").one_sentence("kerege follow")
    assert not (homes / "courts" / "network" / "network.json").exists()
    assert join("courts").code == 0
    join("courts").one_sentence("is a home already")


@pytest.mark.engine
def test_what_the_boards_are_asked_for_is_proven(homes):
    """Nobody's key is registered: the ledger would refuse the message, and the command makes none."""
    file = homes / "offer.json"
    for told in (form(bring("courts", 7), host="10.1.1.1"), without(bring("courts", 7), "registrations", "consensus")):
        file.write_text(json.dumps(told))
        kerege("network", "register", file).one_sentence("the offer of courts does not hold")
        assert kerege("network", "introduce", file, "--home", homes / "national-bank").code == 2
    file.write_bytes(bring("courts", 7).raw)
    messages = kerege("network", "register", file).json
    assert [each["kind"] for each in messages] == ["checkpoint", "consensus"]


@pytest.mark.engine
def test_a_newcomer_is_introduced_once(homes):
    home, file = homes / "national-bank", homes / "offer.json"
    assert taken(homes, "national-bank").code == 0
    newcomer = bring("courts", 7)
    file.write_bytes(newcomer.raw)
    assert kerege("network", "introduce", file, "--home", home).code == 0
    text = (home / "network/national-bank/engine/config/config.toml").read_text(encoding="utf-8")
    assert text.count(newcomer.peer) == 1
    assert text.count(newcomer.peer.partition("@")[0]) == 2
    kerege("network", "introduce", file, "--home", home).one_sentence("bring the same institution")
    file.write_bytes(bring("tax-service", 8, ledger="kg-other").raw)
    kerege("network", "introduce", file, "--home", home).one_sentence("made its offer for kg-other")


@pytest.mark.engine
def test_a_refusal_is_typed(homes):
    """Programs tell them apart."""
    founding = read_founding((homes / "founding.json").read_bytes())
    with pytest.raises(refusals.NoOffer):
        accept(homes / "elsewhere", founding, "")
    with pytest.raises(refusals.OtherFounding):
        read_founding(founding.raw, "00" * 32)
    with pytest.raises(refusals.BadOffer):
        read_offer(b"[]", "a file")
