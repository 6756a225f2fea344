"""HTTP: parse, ask EnvStore, answer."""
