"""What was set aside for transactions that can commit no more: used where the ledger has them, else returned."""

from collections.abc import Sequence

from kerege.dossiers.controller import Controller


def settle_expired(controller: Controller, registries: Sequence[str]) -> int:
    """Settle act numbers, PINs and blanks whose time is over by block time; gives how many were returned.

    Whether a number reached the ledger is asked by the uniqueness keys it makes in the registers, of a blank by its
    accounting key. Raises `LedgerUnreachable`, with whatever was settled before it settled for good.
    """
    ledger, uniqueness, blanks = controller.ledger, controller.uniqueness, controller.blanks

    def held(*parts: str) -> bool:
        for registry in registries:
            epoch, renewing = ledger.key_epoch(registry)
            epochs = (epoch, epoch - 1) if renewing else (epoch,)
            if any(ledger.key_held(uniqueness.key(registry, *parts, version=each)) for each in epochs):
                return True
        return False

    def issued(series: str, number: int) -> bool:
        return ledger.blank_used(blanks.accounting_key(series, number))

    now = ledger.time()
    acts = controller.act_numbers.release_expired(
        now, lambda office, year, number: held("act", office, str(year), str(number))
    )
    pins = controller.pins((), offset_minutes=0).release_expired(now, lambda pin: held("pin", pin))
    return acts + pins + blanks.release_expired(now, issued)
