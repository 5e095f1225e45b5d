"""Lists of field names, each kept once: a dossier says by an id which one it follows."""

from kerege.dossiers.books import Book
from kerege.dossiers.errors import StoreDamaged
from kerege.dossiers.sheets import names_id
from kerege.kernel.types import Hash


class FieldLists:
    """The lists that dossiers of one store follow."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known: dict[Hash, tuple[str, ...]] = {}

    def keep(self, names: tuple[str, ...]) -> None:
        """Have a list on the medium, before the first dossier that follows it."""
        number = names_id(names)
        if number not in self._known:
            self._book.apply([self._book.put(names, number)])
            self._known[number] = names

    def find(self, number: Hash) -> tuple[str, ...]:
        """The list of an id; raises `StoreDamaged` where it is not there."""
        if number not in self._known:
            names = self._book.find(tuple[str, ...], number)
            if names is None:
                raise StoreDamaged(what="the list of a dossier's fields")
            self._known[number] = names
        return self._known[number]
