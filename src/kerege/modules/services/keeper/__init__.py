"""What other modules may do with cases: read them, guard them, move them."""

from kerege.modules.services.keeper.cases import Cases
from kerege.modules.services.keeper.guards import NO_APPOINTMENT, CaseGuards
from kerege.modules.services.keeper.view import CaseView

__all__ = ["NO_APPOINTMENT", "CaseGuards", "CaseView", "Cases"]
