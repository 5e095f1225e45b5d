"""What other modules may do with money, in four interfaces: read, move, create and destroy, move by order."""

from typing import TYPE_CHECKING

from kerege.kernel.context import Context, Keeper
from kerege.kernel.errors import MinimumBalance
from kerege.kernel.types import MAXIMUM_AMOUNT, add
from kerege.modules.accounts.keeper import AccountView
from kerege.modules.bank import errors
from kerege.modules.bank.events import (
    AccountFrozen,
    AccountUnfrozen,
    CurrencyRegistered,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    Issued,
    Moved,
    Retired,
)
from kerege.modules.bank.state import (
    BALANCES,
    CURRENCIES,
    CURSOR,
    EXPIRIES,
    FREEZE_EXPIRIES,
    FREEZES,
    HELD,
    HOLDS,
    SUPPLY,
)
from kerege.modules.bank.types import CurrencyRow, Freeze, Hold
from kerege.modules.policy.keeper import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerege.kernel.tables import Bound

MAXIMUM_TERM = 5 * 366 * 24 * 3_600_000
"""Holds and freezes end within about five years."""

HOLD_ENTRIES = 2
"""State entries that come and go with a hold: its row and its place in the index."""

ENTRY_DEPOSIT = "bank.minimum_balance_per_entry"
"""Parameter: minor units of the base currency that an account holds for every state entry it created."""

BASE_CURRENCY = "bank.base_currency"


class BankView(Keeper):
    """Reads money; changes nothing."""

    MODULE = "bank"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._currencies: Bound[str, CurrencyRow] = self._table(CURRENCIES)
        self._balances: Bound[tuple[bytes, str], int] = self._table(BALANCES)
        self._held: Bound[tuple[bytes, str], int] = self._table(HELD)
        self._supply: Bound[str, int] = self._table(SUPPLY)
        self._holds: Bound[bytes, Hold] = self._table(HOLDS)
        self._freezes: Bound[bytes, Freeze] = self._table(FREEZES)
        self._expiries: Bound[tuple[int, bytes], bool] = self._table(EXPIRIES)
        self._freeze_expiries: Bound[tuple[int, bytes], bool] = self._table(FREEZE_EXPIRIES)
        self._cursor: Bound[str, int] = self._table(CURSOR)

    def available(self, account: bytes, currency: str) -> int:
        """Minor units that the account may spend."""
        return self._balances.find((account, currency)) or 0

    def held(self, account: bytes, currency: str) -> int:
        """Minor units of the account that are on hold."""
        return self._held.find((account, currency)) or 0

    def supply(self, currency: str) -> int:
        """All minor units of the currency."""
        return self._supply.find(currency) or 0

    def currency(self, code: str) -> CurrencyRow:
        """The currency of a code; raises `UnknownCurrency`."""
        found = self._currencies.find(code)
        if found is None:
            raise errors.UnknownCurrency(currency=code)
        return found

    def hold(self, identifier: bytes) -> Hold:
        """The hold of an id; raises `UnknownHold`."""
        found = self._holds.find(identifier)
        if found is None:
            raise errors.UnknownHold(hold=identifier)
        return found

    def freeze(self, account: bytes) -> Freeze | None:
        """The freeze in force of an account, or None."""
        found = self._freezes.find(account)
        return None if found is None or found.expires <= self._ctx.time else found

    def next_expiry(self) -> int | None:
        """When the next hold or freeze expires."""
        heads = [next(self._from_cursor(index, 1), None) for index in (self._expiries, self._freeze_expiries)]
        return min((time for time, _ in filter(None, heads)), default=None)

    def _from_cursor(self, index: "Bound[tuple[int, bytes], bool]", limit: int) -> "Iterator[tuple[int, bytes]]":
        """Keys of an index in order, past the deleted ones that the schedule has been through."""
        start = self._cursor.find(index.table.name) or 0
        length = index.table.parts[1][1]
        return (key for key, _ in index.scan(after=(start, bytes(length)), limit=limit))

    def check_minimum(self, address: bytes, entries: int) -> None:
        """Raise `MinimumBalance` where the account holds less than its entries need (`BalancePort`)."""
        policy, now = self._ctx.use(Policy), self._ctx.time
        deposit, base = policy.find(ENTRY_DEPOSIT, now), policy.find(BASE_CURRENCY, now)
        if not isinstance(deposit, int) or not isinstance(base, str):
            return
        needed, available = min(entries * deposit, MAXIMUM_AMOUNT), self.available(address, base)
        if available < needed:
            raise MinimumBalance(needed=needed, available=available)


class Bank(BankView):
    """Moves money between accounts; never creates or destroys it."""

    def move(self, source: bytes, target: bytes, currency: str, amount: int) -> None:
        """Raise `Frozen` (either party), `SameAccount`, `InsufficientFunds` or `MinimumBalance` (`source`)."""
        self._check_not_frozen(source)
        self._check_not_frozen(target)
        if source == target:
            raise errors.SameAccount(account=source)
        self._spend(source, currency, amount)
        self._give(target, currency, amount)
        self._announce(Moved(source, target, currency, amount))

    def place_hold(self, identifier: bytes, row: Hold) -> None:
        """Set money aside; raises `IdentifierTaken`, `BadExpiry` or what `move` raises."""
        if self._holds.find(identifier) is not None:
            raise errors.IdentifierTaken(identifier=identifier)
        self._check_term(row.expires)
        self._check_not_frozen(row.owner)
        self._spend(row.owner, row.currency, row.amount)
        self._change_held(row.owner, row.currency, row.amount)
        self._holds.put(identifier, row)
        self._expiries.put((row.expires, identifier), True)  # noqa: FBT003 - the index holds nothing else
        self._announce(HoldPlaced(identifier, row))

    def release(self, identifier: bytes) -> None:
        """Give held money back; a freeze does not stop it, for it does not leave its owner."""
        row = self._drop_hold(identifier)
        self._give(row.owner, row.currency, row.amount)
        self._announce(HoldReleased(identifier, row.owner, row.currency, row.amount))

    def capture(self, identifier: bytes, amount: int) -> None:
        """Give held money to the beneficiary; raises `HoldExpired`, `CaptureTooLarge` or `Frozen`."""
        row = self.hold(identifier)
        if row.expires <= self._ctx.time:
            raise errors.HoldExpired(hold=identifier, expires=row.expires)
        if amount > row.amount:
            raise errors.CaptureTooLarge(hold=identifier, held=row.amount, asked=amount)
        self._check_not_frozen(row.owner)
        self._check_not_frozen(row.beneficiary)
        self._drop_hold(identifier)
        self._give(row.beneficiary, row.currency, amount)
        returned = row.amount - amount
        if returned:
            self._give(row.owner, row.currency, returned)
        self._announce(HoldCaptured(identifier, row.owner, row.beneficiary, row.currency, amount, returned))

    def expire(self, limit: int) -> None:
        """Give back the holds and end the freezes whose time has come, oldest first, at most `limit` of each."""
        for identifier in self._take_expired(self._expiries, limit):
            self.release(identifier)
        for account in self._take_expired(self._freeze_expiries, limit):
            self._drop_freeze(account)
            self._announce(AccountUnfrozen(account))

    def _take_expired(self, index: "Bound[tuple[int, bytes], bool]", limit: int) -> list[bytes]:
        """What is in an index up to now; moves its cursor there."""
        expired = [key for key in self._from_cursor(index, limit) if key[0] <= self._ctx.time]
        # Whatever is entered from now on expires after this block, so it stands behind the cursor.
        if expired:
            self._cursor.put(index.table.name, expired[-1][0] - 1)
        return [name for _, name in expired]

    def set_freeze(self, account: bytes, row: Freeze) -> None:
        """Freeze an account; raises `BadExpiry`. A later order replaces an earlier one."""
        self._check_term(row.expires)
        self._drop_freeze(account)
        self._freezes.put(account, row)
        self._freeze_expiries.put((row.expires, account), True)  # noqa: FBT003 - the index holds nothing else
        self._announce(AccountFrozen(account, row))

    def lift_freeze(self, account: bytes) -> None:
        """Lift a freeze; raises `NotFrozen`."""
        if self.freeze(account) is None:
            raise errors.NotFrozen(account=account)
        self._drop_freeze(account)
        self._announce(AccountUnfrozen(account))

    def _drop_freeze(self, account: bytes) -> None:
        """Remove the row of a freeze, in force or expired, where there is one."""
        row = self._freezes.find(account)
        if row is not None:
            self._freezes.delete(account)
            self._freeze_expiries.delete((row.expires, account))

    # Guards

    def _check_not_frozen(self, account: bytes) -> None:
        found = self._freezes.find(account)
        if found is not None and found.expires > self._ctx.time:
            raise errors.Frozen(account=account, expires=found.expires)

    def _check_term(self, expires: int) -> None:
        limit = self._ctx.time + MAXIMUM_TERM
        if not self._ctx.time < expires <= limit:
            raise errors.BadExpiry(expires=expires, limit=limit)

    def _spend(self, account: bytes, currency: str, amount: int) -> None:
        """Take what the owner parts with: the minimum for the state that the owner created and still holds stays."""
        self._take(account, currency, amount)
        entries = self._ctx.use(AccountView).entries_to_cover(account)
        if entries and currency == self._ctx.use(Policy).find(BASE_CURRENCY, self._ctx.time):
            self.check_minimum(account, entries)

    def _take(self, account: bytes, currency: str, amount: int) -> None:
        available = self._balances.find((account, currency)) or 0
        if not 0 <= amount <= available:
            raise errors.InsufficientFunds(account=account, currency=currency, available=available, asked=amount)
        self._balances.put((account, currency), available - amount)

    def _give(self, account: bytes, currency: str, amount: int) -> None:
        key = (account, currency)
        self._balances.put(key, add(self._balances.find(key) or 0, amount))

    def _change_held(self, account: bytes, currency: str, change: int) -> None:
        key = (account, currency)
        self._held.put(key, add(self._held.find(key) or 0, change))

    def _drop_hold(self, identifier: bytes) -> Hold:
        row = self.hold(identifier)
        self._holds.delete(identifier)
        self._expiries.delete((row.expires, identifier))
        self._ctx.give_back(row.owner, HOLD_ENTRIES)
        self._change_held(row.owner, row.currency, -row.amount)
        return row


class Supply(Bank):
    """Creates and destroys money: who may import it is a named list."""

    def register_currency(self, code: str, row: CurrencyRow) -> None:
        """Register a currency; raises `CurrencyExists`."""
        if self._currencies.find(code) is not None:
            raise errors.CurrencyExists(currency=code)
        self._currencies.put(code, row)
        self._supply.put(code, 0)
        self._announce(CurrencyRegistered(code, row))

    def create(self, account: bytes, currency: str, amount: int) -> None:
        """Create units for an account; raises `Frozen`, `AmountOutOfBounds`."""
        self._check_not_frozen(account)
        self._supply.put(currency, add(self.supply(currency), amount))
        self._give(account, currency, amount)
        self._announce(Issued(account, currency, amount))

    def destroy(self, account: bytes, currency: str, amount: int) -> None:
        """Destroy units of an account; raises `Frozen` or `InsufficientFunds`."""
        self._check_not_frozen(account)
        self._take(account, currency, amount)
        self._supply.put(currency, self.supply(currency) - amount)
        self._announce(Retired(account, currency, amount))


class Enforcement(Bank):
    """The one door past a freeze: moves money by order. Who may import it is a named list."""

    def move_by_order(self, source: bytes, target: bytes, currency: str, amount: int) -> None:
        """Move money of a frozen account; raises `InsufficientFunds` or `SameAccount`."""
        if source == target:
            raise errors.SameAccount(account=source)
        self._take(source, currency, amount)
        self._give(target, currency, amount)
        self._announce(Moved(source, target, currency, amount))
