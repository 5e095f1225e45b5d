"""A light client of the engine: which headers are final, from one trusted header, the votes and nothing else.

No sockets and no clock: whoever uses it fetches the engine's answers and says what time it is.
"""

from . import evidence
from .block import BlockId, Commit, Flag, Header, LightBlock, Validator, Validators, Vote, sign_bytes
from .following import Fetch, Followed, begin, follow
from .outcome import Expired, Forked, Invalid, NotEnoughTrust, NotFollowed, NotShown, Unconfirmed
from .rpc import light_block, validators_page
from .verify import Rules, Trusted, check_commit, check_step

__all__ = [
    "BlockId",
    "Commit",
    "Expired",
    "Fetch",
    "Flag",
    "Followed",
    "Forked",
    "Header",
    "Invalid",
    "LightBlock",
    "NotEnoughTrust",
    "NotFollowed",
    "NotShown",
    "Rules",
    "Trusted",
    "Unconfirmed",
    "Validator",
    "Validators",
    "Vote",
    "begin",
    "check_commit",
    "check_step",
    "evidence",
    "follow",
    "light_block",
    "sign_bytes",
    "validators_page",
]
