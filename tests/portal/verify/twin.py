"""Asking both verifiers the same, and holding their answers against each other."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from playwright.sync_api import Page

from kerege import proofs
from tests.proofs.naive import NOW, World

BATCH = 400
LANGUAGES = ("ky", "ru", "en")
RUN = """
(cases) => cases.map((one) => {
  const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const asked = { now: one.now, maxAgeDays: one.max_age_days, checkpoint: bytes(one.checkpoint) };
  return keregeVerify(bytes(one.bundle), bytes(one.trust), asked, one.lang);
})
"""


@dataclass(frozen=True)
class Case:
    """One question."""

    bundle: bytes
    trust: bytes
    now: int
    max_age_days: int | None = None
    checkpoint: bytes | None = None
    lang: str = "en"

    def verdict(self) -> proofs.Verdict:
        """What the Python verifier says."""
        return proofs.verify(
            self.bundle, self.trust, now=self.now, max_age_days=self.max_age_days, checkpoint=self.checkpoint
        )

    def members(self) -> dict[str, object]:
        """The question as the browser takes it."""
        return {
            "bundle": _text(self.bundle),
            "trust": _text(self.trust),
            "now": self.now,
            "max_age_days": self.max_age_days,
            "checkpoint": None if self.checkpoint is None else _text(self.checkpoint),
            "lang": self.lang,
        }


def about(world: World, trust_file: bytes | None = None, **asked: Any) -> Case:
    """The question about a bundle of the naive ledger."""
    return Case(world.bundle, trust_file or world.trust, **({"now": NOW} | asked))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _one_sentence(text: str) -> str:
    """Python has two sentences where base64 or hex is misspelled, the page has one."""
    return text.replace(" in its one form", "").replace("is not 32 bytes of lower-case hex", "is not hex")


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """The part of an answer in which both must agree: everything but the spelling of two sentences."""
    return {
        "exit": answer["exit"],
        "verdict": answer["verdict"],
        "checks": [c | {"reason": _one_sentence(c["reason"])} for c in answer["checks"]],
        "facts": answer["facts"],
        "lines": [_one_sentence(line) for line in answer["lines"]],
    }


def expected(case: Case) -> dict[str, Any]:
    """What the page must answer; the fields shown have a table there, not lines."""
    verdict = case.verdict()
    answer: dict[str, Any] = verdict.to_json(case.lang)
    failing, shown = verdict.failing, () if verdict.facts is None else verdict.facts.disclosed
    return comparable(answer | {"lines": answer["lines"][:3] + answer["lines"][3 + len(shown) :]}) | {
        "failing": failing and str(failing.check)
    }


@dataclass
class Twin:
    """The verifier in a page."""

    page: Page
    asked: int = field(default=0)

    def answers(self, cases: Sequence[Case]) -> Iterator[dict[str, Any]]:
        """What the page says to each of them."""
        rest = iter(cases)
        while batch := list(islice(rest, BATCH)):
            self.asked += len(batch)
            for answer in self.page.evaluate(RUN, [case.members() for case in batch]):
                failing = answer["failing"]
                yield comparable(answer) | {"failing": failing and failing["check"]}

    def agrees(self, cases: Sequence[Case]) -> list[dict[str, Any]]:
        """Assert that both say the same to each case, and return what they say."""
        said = list(self.answers(cases))
        for case, answer in zip(cases, said, strict=True):
            assert answer == expected(case), case
        return said
