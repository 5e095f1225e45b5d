"""How a member of a network is watched: figures for Prometheus, health, and the page that tells both."""
