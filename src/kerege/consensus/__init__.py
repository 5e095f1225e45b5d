"""Engines: what orders transactions into blocks and makes them durable."""
