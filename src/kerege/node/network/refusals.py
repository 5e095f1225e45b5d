"""Why an offer, a founding document or a home is not taken: each with its facts and the cure."""

from pathlib import Path

from kerege.node.home import HomeError


class BadOffer(HomeError):
    """The file is no offer."""

    def __init__(self, source: str, fault: str) -> None:
        super().__init__(f"{source} is no offer ({fault}): ask for the file that `kerege network offer` wrote.")


class OfferForAnotherNetwork(HomeError):
    """The offer was made for a network of another name."""

    def __init__(self, institution: str, offered: str, wanted: str) -> None:
        super().__init__(
            f"{institution} made its offer for {offered}, not for {wanted}: agree on the network's name, and let it "
            "make a new one."
        )


class OfferUnproven(HomeError):
    """A key of the offer does not prove that its holder has the private half and offered just this."""

    def __init__(self, institution: str, use: str, fault: str) -> None:
        super().__init__(
            f"the offer of {institution} does not hold: {fault} by its {use} key; it was changed on the way, or nobody "
            "has that key: ask for it again."
        )


class OfferedTwice(HomeError):
    """Two offers bring the same institution, key or address."""

    def __init__(self, what: str, one: str, other: str) -> None:
        super().__init__(f"the offers of {one} and {other} bring the same {what}: leave one out, or let it be redone.")


class UnknownInstitution(HomeError):
    """The nation's pack does not let this institution run such a member."""

    def __init__(self, institution: str, runs: str, known: list[str]) -> None:
        super().__init__(
            f"{institution} is no institution of the pack that may run a {runs}: those are {', '.join(known)}."
        )


class FoundingChanged(HomeError):
    """The founding document is not what its own offers and officials come to."""

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"the founding document does not hold ({fault}): nobody begins with it; compare its SHA-256 with the "
            "others', and that all have the same release."
        )


class OtherFounding(HomeError):
    """The founding document is another one than the trust file or the agreed hash names."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"the founding document is {found}, wanted is {wanted}: get the right one, trust no other.")


class OfferNotIncluded(HomeError):
    """The founding document does not hold the offer of this home as it was made."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(
            f"the founding document {fault} {name} as this home made it: give the coordinator the offer of this home, "
            "and accept no other document."
        )


class NoOffer(HomeError):
    """No offer was made in the home."""

    def __init__(self, home: Path) -> None:
        super().__init__(f"{home} holds no offer: make one with `kerege network offer`, before the founding.")


class OfferMade(HomeError):
    """The home holds an offer already: its keys are not drawn anew, as others may have it."""

    def __init__(self, offer: Path) -> None:
        super().__init__(f"{offer} is there already: send that one, or choose another folder for new keys.")


class KeyMissing(HomeError):
    """A private key of the offer is not in the home, or is another one."""

    def __init__(self, path: Path, use: str, fault: str) -> None:
        super().__init__(
            f"{path} {fault} the {use} key that was offered: restore it from its backup; without it the member can "
            "never sign."
        )
