"""A member's application under watch: its figures, its health and its log, told at one address."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from kerege.consensus.replica import Replica
from kerege.node.logs import Log
from kerege.node.watching.figures import Figures
from kerege.node.watching.health import HealthGauges, Looker
from kerege.node.watching.page import Answer, as_figures, as_json, served
from kerege.node.watching.place import Place


@contextmanager
def watched(replica: Replica, log: Log, place: Place | None) -> Iterator[Figures]:
    """The figures of a replica, told at a place as long as the context lasts. Raises `HomeError`."""
    figures = Figures(replica, log.member)
    figures.counter("kerege_alarms", "Lines of the log that somebody should read.", lambda: log.alarms)
    log.height = figures.standing().height
    log.tell(f"{replica.machine.ledger} opened" + ("" if place is None else f", watched at http://{place.watch}"))
    replica.listen(lambda height, *_: setattr(log, "height", height))
    if place is None:
        yield figures
        return
    looker = Looker(figures, place.engine)

    def ready() -> Answer:
        health = looker.look()
        told = {**health._asdict(), "status": "ready" if health.ready else "not ready"}
        return as_json(told, HTTPStatus.OK if health.ready else HTTPStatus.SERVICE_UNAVAILABLE)

    figures.registry.register(HealthGauges(looker))
    pages = {
        "/metrics": lambda: as_figures(figures.text()),
        "/health/live": lambda: as_json({"status": "live"}),
        "/health/ready": ready,
    }
    with served(place.watch, pages):
        yield figures
