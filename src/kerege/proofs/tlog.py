"""The log part of a bundle for outside tools: a C2SP `tlog-proof@v1` (c2sp.org/tlog-proof)."""

from . import bundle as files
from . import note, paths, text
from .outcome import Failed, Malformed


def tlog_proof(bundle: bytes) -> str:
    """Return the receipt's inclusion and the checkpoint as a C2SP transparency log proof.

    The proved entry is the receipt's MessagePack bytes. A bundle with a block record carries the paths of two leaves in
    one; the receipt's own RFC 6962 path is computed from it.

    Raises:
        Malformed: not a bundle, or its paths do not lead to the checkpoint's root.
    """
    parsed = files.parse(bundle)
    try:
        walked = paths.walk(parsed, note.parse_checkpoint(parsed.note))
    except Failed as error:
        raise Malformed(str(error)) from error
    hashes = "".join(text.to_base64(h) + "\n" for h in walked.log_paths[parsed.index])
    return f"c2sp.org/tlog-proof@v1\nindex {parsed.index}\n{hashes}\n{parsed.note}"
