"""The law and the money: pure modules, every one with the same files.

`MODULES` is the one list of what exists, in order of dependency; everything else iterates over it.
"""

from kerege.modules import accounts, authority, bank, disclosure, identity, policy, registries, services

MODULES = (
    accounts.MODULE,
    authority.MODULE,
    policy.MODULE,
    bank.MODULE,
    identity.MODULE,
    registries.MODULE,
    services.MODULE,
    disclosure.MODULE,
)
