"""The controller's desk: from clear values to dossiers and to ledger messages that hold commitments only.

Nothing here knows a service by name: what a form has, who acts next and what an outcome writes is read from the
service's definition.
"""

from kerege.dossiers.desk.desk import Decision, Desk
from kerege.dossiers.desk.folders import Folder, Folders
from kerege.dossiers.desk.outputs import IssuedPaper

__all__ = ["Decision", "Desk", "Folder", "Folders", "IssuedPaper"]
