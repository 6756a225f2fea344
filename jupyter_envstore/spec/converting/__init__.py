"""Other tools' files as specifications: one module for each kind of file."""
