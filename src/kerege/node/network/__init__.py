"""A network of institutions on one machine: founded, started, watched and stopped by `kerege network`."""
