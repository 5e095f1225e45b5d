"""Pages for people who would rather look than read: the start page, a case, the search, downloads, `/verify`."""

from kerege.portal.pages.routes import Portal as Portal
from kerege.portal.pages.routes import routes as routes

__all__ = ["Portal", "routes"]
