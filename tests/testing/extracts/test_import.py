"""Made extracts, imported over a real ledger with real dossiers, end as their truth says."""

from kerege.testing.extracts import Book, Damage, Shares, write
from tests.gateways.importing.desk import ImportDesk

WORN = Damage(spaces=0.1, breaks=0.1, mark=False, line_end="\n", blank_lines=2)


def test_files_imported_one_after_the_other_end_as_their_truth_says(tmp_path):
    shares, book = Shares(duplicate=0.15, review=0.1, rejected=0.15), Book()
    with ImportDesk.create(tmp_path / "home") as desk:
        for seed, form, damage in ((1, "codes", Damage()), (2, "russian", WORN)):
            path, truth = tmp_path / f"{form}.csv", tmp_path / f"{form}.truth"
            counts = write(path, truth, 700, seed, form=form, shares=shares, damage=damage, earlier=book)
            summary, lines = desk.bring(path)
            assert lines == truth.read_text(encoding="utf-8").splitlines()[1:]
            assert {outcome: summary.outcomes[outcome] for outcome in counts} == counts
