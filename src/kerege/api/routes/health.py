"""How the process is, for whoever runs it."""

from litestar.response.base import ASGIResponse

from kerege.api.metrics import CONTENT_TYPE, Metrics
from kerege.api.operations import Asked, Good, Operation
from kerege.api.problems import AWAY
from kerege.api.replies import json_reply, reply
from kerege.api.service import Service
from kerege.api.shapes import HealthShape


def health_operations(service: Service, metrics: Metrics) -> list[Operation]:
    """The operations of this file."""

    async def live(_request: Asked) -> ASGIResponse:
        return json_reply(HealthShape(status="live"))

    async def ready(_request: Asked) -> ASGIResponse:
        head = await service.ask(lambda door: door.head())
        metrics.height.set(head.height)
        return json_reply(HealthShape(status="ready", height=head.height))

    async def figures(_request: Asked) -> ASGIResponse:
        return reply(metrics.text(), CONTENT_TYPE)

    return [
        Operation(
            method="GET",
            path="/health/live",
            name="isLive",
            summary="Whether the process answers.",
            run=live,
            good=Good(description="It does.", shape=HealthShape),
        ),
        Operation(
            method="GET",
            path="/health/ready",
            name="isReady",
            summary="Whether the ledger's node answers.",
            run=ready,
            good=Good(description="It does.", shape=HealthShape),
            problems=AWAY,
        ),
        Operation(
            method="GET",
            path="/metrics",
            name="getMetrics",
            summary="Figures for Prometheus.",
            run=figures,
            good=Good(description="Text exposition.", media_type=CONTENT_TYPE),
        ),
    ]
