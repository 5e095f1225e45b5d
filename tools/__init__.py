"""Tools of the house: set-up, checks and generated pages. None is imported by `kerege`."""
