"""The HTTP worker of a node: a process of its own that reaches the ledger through the home's socket.

`python -m kerege.node.web_worker --home DIR --port N [--public DIR]`, started and stopped by `kerege up`: apart from
the command line, which would otherwise load a web server to print a help text.
"""

import argparse
import sys
from pathlib import Path
from shlex import quote

from kerege.api import create_app, serve
from kerege.node.async_wire import AsyncSubmitter
from kerege.node.child import watch_parent
from kerege.node.home import Home
from kerege.node.tuning import steady_work
from kerege.node.web import HOST
from kerege.node.wire import SocketDoor
from kerege.node.workplace import read_nation
from kerege.portal.pages import Portal, routes


def main() -> int:
    """Serve one home until the signal to stop."""
    watch_parent()
    parser = argparse.ArgumentParser(description="HTTP worker of a node; `kerege up` starts it.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--public", type=Path, help="files that the pages offer; else public/ in the home")
    wanted = parser.parse_args()
    home = Home(wanted.home)
    about = home.read_about()
    pack, trust = read_nation(about["nation"]), home.trust.read_bytes()
    fictitious = quote(str(home.path)) if about.get("dev") else None
    services = {each.definition.code: each.definition for each in pack.services}
    public = wanted.public or home.path / "public"
    with SocketDoor(home.socket) as door:
        offset = pack.nation.offset_minutes
        portal = Portal(door, pack.texts, services, trust, public, offset, fictitious=fictitious)
        submitter = AsyncSubmitter(home.socket)
        app = create_app(
            lambda: door, pack.texts, trust, submitter=submitter, pages=routes(portal), refused_page=portal.refused
        )
        with steady_work():
            serve(app, HOST, wanted.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
