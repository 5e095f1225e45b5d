"""Known faults of a node, as the command line tells them."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kerege.cli.wiring import CommandError
from kerege.consensus.checkpoints import NoCommit, Unprovable
from kerege.consensus.embedded import Busy, Stopped
from kerege.consensus.trees import Damaged
from kerege.consensus.whole import BeingRestored
from kerege.dossiers.errors import DossierError
from kerege.gateways.extracts.errors import ExtractError
from kerege.kernel.errors import KernelFault
from kerege.node.home import HomeError
from kerege.node.wire import NodeFailed, WireFault
from kerege.readmodel.errors import ReadModelError
from kerege.storage.errors import StorageError


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Known faults as one sentence with the cure."""
    try:
        yield
    except (HomeError, DossierError, ExtractError, ReadModelError, StorageError, Damaged) as fault:
        raise CommandError(str(fault)) from None
    except NoCommit as fault:
        sentence = f"no proof with the engine's commit: {fault}; leave out --with-commit."
        raise CommandError(sentence, 1) from None
    except Unprovable as fault:
        sentence = f"no proof of this: {str(fault).rstrip('.')}; check the id and the home."
        raise CommandError(sentence, 1) from None
    except (Busy, Stopped) as fault:
        sentence = f"the ledger did not answer ({fault}): ask again when it runs."
        raise CommandError(sentence, 1) from None
    except BeingRestored as restored:
        sentence = f"{restored}: until the ledger is whole nothing is read of it."
        raise CommandError(sentence) from None
    except (NodeFailed, WireFault) as fault:
        sentence = f"the node cannot answer ({str(fault).rstrip('.')}): look at what it prints."
        raise CommandError(sentence) from None
    except KernelFault as fault:
        sentence = f"the ledger itself is wrong ({fault}): stop, and run `kerege verify-ledger`."
        raise CommandError(sentence) from None
    except OSError as fault:
        raise CommandError(_explain(fault)) from None


def _explain(fault: OSError) -> str:
    """What the operating system refused, with the cure."""
    place = fault.filename or "the home"
    if fault.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}:
        return f"{place} is not writable ({fault.strerror}): give this user the right to it, or choose another --home."
    if fault.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return f"the disk is full ({fault.strerror}, {place}): free space, or choose another --home."
    return f"{place}: {fault.strerror or fault}; check the path and the disk, or choose another --home."
