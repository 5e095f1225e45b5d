"""Keys as files: master keys of epochs, the root of the keyed names, uniqueness keys. Mode 0600, atomic, durable.

```
keys/
  lock
  names.key                root of every PRF: keyed names of rows, authority tables, tombstones
  epochs/0001.key          master key of an epoch; one in quiet times, two while an epoch changes
  uniqueness/0001.key      keys of the civil-registration authority
  wrapped/                 wrapped data keys and which dossier is whose (`keybook`)
```
"""

from collections.abc import Sequence
from pathlib import Path

from kerege.dossiers.errors import KeysMissing, KeyVersionUnknown, StoreDamaged
from kerege.dossiers.files import shred, write_private
from kerege.dossiers.sealing import KEY_LENGTH, Parts, new_key, prf, prf_many
from kerege.durable import make_private_folder


def _read_key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        raise KeysMissing(file=path) from None
    if len(key) != KEY_LENGTH:
        raise StoreDamaged(file=path)
    return key


class KeySeries:
    """A folder of numbered keys: the newest one is used, older ones only open what they closed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys = {int(path.stem): _read_key(path) for path in sorted(folder.glob("[0-9]*.key"))}
        if not self._keys:
            raise KeysMissing(file=folder)

    @staticmethod
    def create(folder: Path) -> "KeySeries":
        """Begin a series with key 1."""
        make_private_folder(folder)
        write_private(folder / "0001.key", new_key())
        return KeySeries(folder)

    @property
    def newest(self) -> int:
        """Number of the key in use."""
        return max(self._keys)

    def versions(self) -> tuple[int, ...]:
        """Numbers of all keys that exist, ascending."""
        return tuple(sorted(self._keys))

    def get(self, version: int) -> bytes:
        """Give a key; raises `KeyVersionUnknown`."""
        if version not in self._keys:
            raise KeyVersionUnknown(version=version)
        return self._keys[version]

    def add(self) -> int:
        """Draw the next key; it is durable when its number is returned."""
        version = self.newest + 1
        key = new_key()
        write_private(self._folder / f"{version:04}.key", key)
        self._keys[version] = key
        return version

    def destroy(self, version: int) -> None:
        """Destroy a key for good; raises `KeyVersionUnknown` for one that does not exist or is in use."""
        if version not in self._keys or version == self.newest:
            raise KeyVersionUnknown(version=version)
        shred(self._folder / f"{version:04}.key")
        del self._keys[version]


class Keyring:
    """Every key of the embedded key service that is a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = _read_key(folder / "names.key")
        self.epochs = KeySeries(folder / "epochs")

    @staticmethod
    def create(folder: Path) -> "Keyring":
        """Draw the first keys into an empty folder; the names key last, so that a torn creation is seen as none."""
        make_private_folder(folder)
        KeySeries.create(folder / "epochs")
        write_private(folder / "names.key", new_key())
        return Keyring(folder)

    def name(self, *parts: bytes | str | int) -> bytes:
        """Compute a keyed name; without the keys folder nobody can."""
        return prf(self._names, *parts)

    def names(self, lists: Sequence[Parts]) -> list[bytes]:
        """Compute many keyed names."""
        return prf_many(self._names, lists)

    def wrapping_key(self, epoch: int) -> bytes:
        """Key under which an epoch wraps data keys."""
        return prf(self.epochs.get(epoch), "wrap")

    def register_key(self, epoch: int) -> bytes:
        """Key under which an epoch seals which dossier is whose."""
        return prf(self.epochs.get(epoch), "register")


class UniquenessKeys:
    """Keys of the civil-registration authority that turn a PIN or an act number into a public key of uniqueness.

    The result says nothing without the key, and two live records with one result are refused by the ledger. While the
    key lives the results are personal data, because the authority can test a guess. Rotation: `rotate`, then a message
    that re-keys every live record under the new version, then `retire` the old one.
    """

    def __init__(self, series: KeySeries) -> None:
        self._series = series

    @property
    def newest(self) -> int:
        """Version that new records use."""
        return self._series.newest

    def versions(self) -> tuple[int, ...]:
        """Versions that exist, ascending; two while records are re-keyed."""
        return self._series.versions()

    def key(self, registry: str, *parts: str, version: int | None = None) -> bytes:
        """HMAC-SHA-256 over (registry, parts…), 32 bytes; raises `KeyVersionUnknown`."""
        return self.keys(registry, [parts], version=self.newest if version is None else version)[0]

    def keys(self, registry: str, many: Sequence[tuple[str, ...]], *, version: int) -> list[bytes]:
        """The same for many lists of parts; raises `KeyVersionUnknown`."""
        return prf_many(self._series.get(version), [("uniqueness", registry, *parts) for parts in many])

    def rotate(self) -> int:
        """Draw the next version and use it from now on."""
        return self._series.add()

    def retire(self, version: int) -> None:
        """Destroy an old version, after the ledger shows that no live record uses it."""
        self._series.destroy(version)
