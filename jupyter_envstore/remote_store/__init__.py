"""A store elsewhere for commands: what every store offers, asked for by its REST API."""
