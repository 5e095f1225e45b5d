"""The HTTP API: any message of any module, prepared, submitted, read and proven by programs.

One list of operations (`kerege.api.operations.Operation`) gives the routes, what they take, and the OpenAPI document.
"""

from kerege.api.app import create_app
from kerege.api.serving import serve

__all__ = ["create_app", "serve"]
