"""A network of real processes for tests and benchmarks: funded people, a steady load, and members that fail.

Whoever holds this process may pause, kill and cut off members; in the end every member's store is opened and compared.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from nacl.signing import SigningKey

from kerege.consensus import rows
from kerege.consensus.cometbft.rpc import Rpc, RpcError, Unreachable
from kerege.consensus.embedded import Answer, Busy, Stopped, wall_clock
from kerege.consensus.outcomes import refusal_of
from kerege.consensus.whole import BeingRestored
from kerege.kernel.genesis import Genesis
from kerege.kernel.transaction import Body
from kerege.modules.authority.types import Validator
from kerege.modules.bank.messages import Transfer
from kerege.modules.bank.state import BALANCES
from kerege.node.network.binary import find_engine
from kerege.node.network.document import engine_genesis
from kerege.node.network.founding import Founding
from kerege.node.network.homes import lay_out
from kerege.node.network.keys import GATEWAY
from kerege.node.network.layout import HOST, NODE, Member, Network
from kerege.node.network.offers import Offer, make_offer
from kerege.node.network.pair import Commands, Pair
from kerege.node.network.ports import EACH, free_ports
from kerege.node.network.status import statuses
from kerege.node.network.supervisor import EVERY, Supervisor, application
from kerege.node.wire import NodeFailed, SocketDoor, WireFault
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.country import Posts, found
from kerege.testing.members import SECONDS

HOUR = 3_600_000
MONEY = 1_000_000
CURRENCY = "KGS"
LEDGER = "kg-faults"
VALIDATORS = ("bank", "courts", "ministry", "treasury")


def genesis_of_people(
    ledger: str,
    people: Sequence[str],
    offers: Sequence[Offer] = (),
    gateways: Sequence[SigningKey] = (),
    officials: Posts | None = None,
) -> Genesis:
    """A country in which these people have an account and money, and may pay as often as they like."""
    posts = [each.post for each in offers if each.votes]
    seats = [Validator(p.institution, p.consensus_key, p.checkpoint_key, p.power) for p in posts]
    nodes = [(posts[0].institution, bytes(each.verify_key)) for each in gateways]
    nodes += [(each.institution, each.key(GATEWAY)) for each in offers if not each.votes]
    rules = {"accounts.rate_burst": 1_000_000, "accounts.rate_per_hour": 1_000_000}
    money = dict.fromkeys(people, MONEY)
    modules = found(people, officials or {}, money=money, rules=rules, validators=seats, gateways=nodes)
    return Genesis(ledger, "kg", wall_clock() - 1_000, list(modules))


class Running:
    """A network that a thread keeps running; `pair` of a member fails on demand."""

    def __init__(self, network: Network, commands: Callable[[Member], Commands]) -> None:
        self.network = network
        self.told: list[str] = []
        """What the supervisor said."""
        self._supervisor = Supervisor(network, lambda member, text: self.told.append(f"{member}: {text}"), commands)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="supervisor", daemon=True)

    def _tend(self) -> None:
        while not self._stop.wait(EVERY):
            self._supervisor.tend()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.until(lambda: min(self.heights()) >= 1)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all members."""
        self._stop.set()
        self._thread.join()
        self._supervisor.close()

    def pair(self, name: str) -> Pair:
        """The processes of a member."""
        return next(pair for pair in self._supervisor.pairs if pair.member.name == name)

    def heights(self) -> list[int]:
        """Of every member's engine; 0 where it does not answer."""
        return [status["height"] or 0 for status in statuses(self.network.members)]

    def status(self) -> list[dict[str, Any]]:
        """Of every member."""
        return statuses(self.network.members)

    def until(self, done: Callable[[], bool], seconds: float = SECONDS) -> float:
        """Wait until something holds; the seconds it took. Raises `AssertionError` with the state of all where not."""
        started = time.monotonic()
        while not done():
            if time.monotonic() - started > seconds:
                heights = ", ".join(f"{s['name']} {s['height']}" for s in self.status())
                raise AssertionError(f"not within {seconds} s; heights: {heights}; told: {self.told[-5:]}")
            time.sleep(0.1)
        return time.monotonic() - started

    def come_to_rest(self) -> None:
        """Wait until nothing is on its way: what is read in the stores afterwards is then the same everywhere."""
        self.until(self._rests)

    def _rests(self) -> bool:
        """All at one height with one hash, nothing waits, and every application has written that height.

        An engine names a height before its application has it.
        """
        found = self.status()
        if len({(s["height"], s["app_hash"]) for s in found}) != 1 or any(s["waiting"] for s in found):
            return False
        return all(_written(member) == found[0]["height"] for member in self.network.members)

    @contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Both processes of a member stand still."""
        processes = self.pair(name).processes()
        _signal(processes, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(processes, signal.SIGCONT)

    def kill(self, name: str, part: int) -> None:
        """Kill a member's application (0) or engine (1) as memory that runs out would."""
        pair = self.pair(name)
        self.until(lambda: pair.runs)
        _signal([pair.processes()[part]], signal.SIGKILL)


def _written(member: Member) -> int:
    """The height of a member's application; 0 where it does not answer."""
    rpc = Rpc(member.rpc_url, SECONDS)
    try:
        return int(rpc.call("abci_info")["response"].get("last_block_height", 0))
    except (RpcError, Unreachable):
        return 0
    finally:
        rpc.close()


def _signal(processes: Sequence[int], number: int) -> None:
    for process in processes:
        os.kill(process, number)


class Load:
    """People who pay one another through the node's door, each in turn; what is not answered is sent again."""

    def __init__(self, network: Network, people: Sequence[str], *, pause: float = 0.05) -> None:
        self.acknowledged: dict[bytes, int] = {}
        """Transaction ids with a final receipt, and the height it names."""
        self.faults: list[str] = []
        self._socket = network.home(network.find(NODE)).socket
        self._people = list(people)
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Send no more; what was sent is waited for, so that all of it is acknowledged or not on its way."""
        self._stop.set()
        self._thread.join(SECONDS)

    def _run(self) -> None:
        sequence = 0
        while not self._stop.is_set():
            raws = [self._pay(who, sequence) for who in self._people]
            if not self._send(raws):
                return
            sequence += 1
            time.sleep(self._pause)

    def _pay(self, who: str, sequence: int) -> bytes:
        """One tyiyn to somebody else."""
        others = [name for name in self._people if name != who]
        message = Transfer(names.address(others[sequence % len(others)]), CURRENCY, 1)
        signer = names.signer(who)
        body = Body(LEDGER, signer.address, 0, sequence, wall_clock() + HOUR, bytes(16), [message])
        return signer.transaction(body)

    def _send(self, raws: list[bytes]) -> bool:
        """Until every one has a receipt; False where it was told to stop first."""
        while not self._stop.is_set():
            try:
                with SocketDoor(self._socket) as door:
                    answers = door.submit(raws)
            except (OSError, Busy, Stopped, BeingRestored, WireFault, NodeFailed):
                time.sleep(0.2)
                continue
            self._note(answers)
            return True
        return False

    def _note(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            code = refusal_of(answer)
            if code:
                self.faults.append(code)
            else:
                self.acknowledged[answer.id] = answer.height


def check_stores(network: Network, acknowledged: Sequence[bytes], people: Sequence[str]) -> None:
    """Every member, stopped: equal roots, every acknowledged transaction once, no money made or lost."""
    heads = set()
    for member in network.members:
        with RocksStore(network.home(member).path) as store:
            head = rows.read_head(store)
            assert head is not None
            heads.add((head.height, head.app_hash))
            found = [transaction for transaction in acknowledged if rows.find_receipt(store, transaction) is None]
            assert not found, f"{member.name} misses {len(found)} acknowledged transactions"
            raws = [store.get(Area.STATE, BALANCES.encode_key((names.address(who), CURRENCY))) for who in people]
            total = sum(BALANCES.decode_value(raw) for raw in raws if raw is not None)
            assert total == MONEY * len(people), f"{member.name}: {total}"
    assert len(heads) == 1, f"members differ: {heads}"


def plain_commands(member: Member) -> Commands:
    """A member as `kerege network up` runs it."""
    return Commands(application(member, None), [str(find_engine())])


def offer_all(
    home: Path, validators: Sequence[str], *, host: Callable[[int], str] = lambda _number: HOST, node: bool = False
) -> list[Offer]:
    """The offers of validators made in one folder, and with `node` of the first one's node; `host` by number."""
    names = [*validators, *([validators[0]] if node else [])]
    ports = free_ports(EACH * len(names))[::EACH]
    return [
        make_offer(home, LEDGER, name, host(at), port, votes=at < len(validators))
        for at, (name, port) in enumerate(zip(names, ports, strict=True))
    ]


def create(
    home: Path,
    people: Sequence[str],
    *,
    validators: Sequence[str] = VALIDATORS,
    node: bool = True,
    host: Callable[[int], str] = lambda _number: HOST,
) -> Network:
    """A network with funded people, not yet running."""
    offers = offer_all(home, validators, host=host, node=node)
    return lay_out(home, founding_of(genesis_of_people(LEDGER, people, offers), offers))


def founding_of(genesis: Genesis, offers: Sequence[Offer]) -> Founding:
    """A founding by this genesis, whatever a nation's pack says."""
    engine = engine_genesis(genesis, [each.post for each in offers if each.votes])
    return Founding(nation="kg", dev=True, officials=[], offers=list(offers), engine=engine)


class Wires:
    """A network namespace for each member, wired to one of two bridges: members on different bridges cannot talk."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._mark = f"k{os.getpid() % 10_000}"

    def host(self, number: int) -> str:
        """The address of a member, by its number."""
        return f"10.199.77.{number + 1}"

    def space(self, number: int) -> str:
        """The namespace of a member."""
        return f"{self._mark}n{number}"

    def __enter__(self) -> Self:
        for side in (0, 1):
            _ip(f"link add {self._mark}b{side} type bridge")
            _ip(f"link set {self._mark}b{side} up")
        _ip(f"addr add 10.199.77.254/24 dev {self._mark}b0")
        for number in range(self._count):
            near, far, space = f"{self._mark}v{number}", f"{self._mark}w{number}", self.space(number)
            _ip(f"netns add {space}")
            _ip(f"link add {near} type veth peer name {far}")
            _ip(f"link set {far} netns {space}")
            _ip(f"link set {near} master {self._mark}b0 up")
            for words in (f"addr add {self.host(number)}/24 dev {far}", f"link set {far} up", "link set lo up"):
                _ip(f"netns exec {space} ip {words}")
            # What a killed process had not sent yet is soon given up, as where its machine is gone.
            _ip(f"netns exec {space} sysctl -q -w net.ipv4.tcp_orphan_retries=1")
        return self

    def __exit__(self, *_: object) -> None:
        for number in range(self._count):
            _ip(f"netns del {self.space(number)}", check=False)
            _ip(f"link del {self._mark}v{number}", check=False)
        for side in (0, 1):
            _ip(f"link del {self._mark}b{side}", check=False)

    @contextmanager
    def parted(self, numbers: Sequence[int]) -> Iterator[None]:
        """These members see one another and nobody else."""
        for number in numbers:
            _ip(f"link set {self._mark}v{number} master {self._mark}b1")
        try:
            yield
        finally:
            for number in numbers:
                _ip(f"link set {self._mark}v{number} master {self._mark}b0")

    @contextmanager
    def unheard(self, numbers: Sequence[int]) -> Iterator[None]:
        """What these send comes to one another only, and what a killed one had not sent yet is lost: they hear all."""
        others = [self.host(other) for other in range(self._count) if other not in numbers]
        self._route("add", numbers, others)
        try:
            yield
        finally:
            self._route("del", numbers, others)

    def _route(self, word: str, numbers: Sequence[int], hosts: Sequence[str]) -> None:
        """All of a member at once: in between another would hear half."""
        lines = "".join(f"route {word} blackhole {host}/32\n" for host in hosts)
        for number in numbers:
            command = ["ip", "netns", "exec", self.space(number), "ip", "-batch", "-"]
            subprocess.run(command, input=lines.encode(), check=True, capture_output=True)

    def commands(self, network: Network) -> Callable[[Member], Commands]:
        """Members as ever, each engine in its namespace."""

        def of(member: Member) -> Commands:
            plain = plain_commands(member)
            space = self.space(network.members.index(member))
            return Commands(plain.application, ["ip", "netns", "exec", space, *plain.engine])

        return of


def _ip(words: str, *, check: bool = True) -> None:
    subprocess.run(["ip", *words.split()], check=check, capture_output=True)
