"""What other modules, and the kernel, may ask of authority: guards and announces."""

from kerege.modules.authority.keeper.authorities import Authorities, Authority
from kerege.modules.authority.keeper.nodes import Nodes

__all__ = ["Authorities", "Authority", "Nodes"]
