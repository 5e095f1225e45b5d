"""The engine's settings that differ from its own defaults, each with its reason, as they stand in its file.

Measured on CometBFT v0.38 with four validators: finality 72 ms instead of 432 with the two settings of 10 ms.
"""

import re
from typing import NamedTuple

from kerege.node.home import HomeError

_MARK = "# Kerege: "
TEN_MINUTES = "600s"


class Setting(NamedTuple):
    """A key of a section of `config.toml`, its value as TOML, and why it is not the default."""

    section: str
    key: str
    value: str
    reason: str


SETTINGS = (
    Setting("", "log_format", '"json"', "one object a line, for programs as well"),
    Setting("rpc", "max_request_batch_size", "1000", "a node hands in many transactions at once"),
    Setting("rpc", "max_body_bytes", "4000000", "as many bytes as are in flight at most"),
    Setting("p2p", "pex", "false", "the members are named by law and listed below: nobody is discovered"),
    Setting("p2p", "addr_book_strict", "false", "loopback and private addresses are members too"),
    Setting("p2p", "allow_duplicate_ip", "true", "members may share a machine"),
    Setting("p2p", "flush_throttle_timeout", '"10ms"', "messages leave at once: half of what makes finality 72 ms"),
    Setting("p2p", "send_rate", "51200000", "blocks of some MB reach the others within a round"),
    Setting("p2p", "recv_rate", "51200000", "as above"),
    Setting("p2p", "max_packet_msg_payload_size", "10240", "fewer packets for the same block"),
    Setting("mempool", "size", "20000", "the application pushes back long before"),
    Setting("mempool", "max_txs_bytes", "8388608", "the default of 1 GB is no back-pressure: latency grows to minutes"),
    Setting("mempool", "max_tx_bytes", "1048576", "the largest transaction of the ledger, or a parcel"),
    Setting("mempool", "cache_size", "100000", "one sent twice is turned away without asking the application"),
    Setting("consensus", "timeout_propose", '"1s"', "an absent proposer costs 1.5 s instead of 4.3"),
    Setting("consensus", "timeout_prevote", '"200ms"', "as above"),
    Setting("consensus", "timeout_precommit", '"200ms"', "as above"),
    Setting("consensus", "timeout_commit", '"200ms"', "under load: how long a block gathers transactions"),
    Setting("consensus", "peer_gossip_sleep_duration", '"10ms"', "the other half of what makes finality 72 ms"),
    Setting("consensus", "create_empty_blocks", "false", "an idle ledger makes no blocks"),
    Setting(
        "consensus",
        "create_empty_blocks_interval",
        f'"{TEN_MINUTES}"',
        "but one every ten minutes: light clients stay within their trusting period",
    ),
    Setting("storage", "discard_abci_responses", "true", "the ledger keeps its own receipts"),
    Setting("tx_index", "indexer", '"null"', "the ledger has an index of its own"),
    Setting("instrumentation", "prometheus", "true", "an operator sees height, peers, rounds"),
)


def written(text: str, settings: tuple[Setting, ...]) -> str:
    """The engine's file with these settings; raises `HomeError` where it has no such key."""
    for setting in settings:
        text = _set(text, setting)
    return text


def _set(text: str, setting: Setting) -> str:
    """Change one key, under a section or before the first (section empty), and say why on the line above."""
    begin = rf"^\[{setting.section}\]$" if setting.section else r"\A"
    old = rf"(?:^{_MARK}[^\n]*\n)?^{re.escape(setting.key)} = [^\n]*"
    pattern = re.compile(rf"({begin}(?:(?!^\[).)*?){old}", re.MULTILINE | re.DOTALL)
    line = f"{_MARK}{setting.reason}\n{setting.key} = {setting.value}"
    changed, count = pattern.subn(lambda found: found[1] + line, text, count=1)
    if count != 1:
        key = f"{setting.section}.{setting.key}"
        reason = f"the engine's settings have no {key}: it is of another version, see `make engine`."
        raise HomeError(reason)
    return changed
