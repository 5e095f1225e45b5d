"""What a crash leaves of the journal is read as whole chunks."""

from pathlib import Path

from kerege.gateways.extracts.journal import LEAF, About, Journal
from kerege.gateways.extracts.rules import Outcome, Verdict

ACCEPTED, DOUBTED = Verdict(Outcome.ACCEPTED), Verdict(Outcome.REVIEW, "pin-sex")
CHUNKS = [
    ([ACCEPTED, DOUBTED], [b"a" * LEAF]),
    ([DOUBTED], []),
    ([ACCEPTED, ACCEPTED, DOUBTED], [b"b" * LEAF, b"c" * LEAF]),
    ([ACCEPTED], [b"d" * LEAF]),
]


def test_chunks_that_were_entered_together_survive_a_crash_one_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "00"
    Journal.begin(folder, About("00", "00", "2026-11-22", 7))
    with Journal(folder) as journal:
        journal.append(CHUNKS)
    files = outcomes, roots = folder / "outcomes", folder / "leaves"
    whole = [file.read_bytes() for file in files]
    found = set()
    for end in range(len(whole[0]) + 1):
        outcomes.write_bytes(whole[0][:end])
        roots.write_bytes(whole[1])
        with Journal(folder) as journal:
            found.add(journal.chunks)
            kept = CHUNKS[: journal.chunks]
            assert list(journal.verdicts()) == [verdicts for verdicts, _ in kept]
            assert list(journal.leaves()) == [leaf for _, leaves in kept for leaf in leaves]
            journal.append(CHUNKS[journal.chunks :])
        assert [file.read_bytes() for file in files] == whole
    assert found == set(range(len(CHUNKS) + 1))
