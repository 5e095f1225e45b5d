"""What a node does beside its own work, of which nothing may end it."""

from collections.abc import Callable

from kerege.node.ledger import Ledger


class Chore:
    """Something done now and then; `tell` hears of each kind of failure once, and the node serves on."""

    def __init__(self, do: Callable[[Ledger], None], tell: Callable[[str], None]) -> None:
        self._do = do
        self._tell = tell
        self._told: set[type[Exception]] = set()

    def __call__(self, ledger: Ledger) -> None:
        """Do it, or say why not; it is tried again the next time."""
        try:
            self._do(ledger)
        except Exception as failure:  # noqa: BLE001 - told, and the node serves on
            if type(failure) not in self._told:
                self._told.add(type(failure))
                self._tell(f"a chore of this node failed ({type(failure).__name__}: {failure}); the node serves on")
