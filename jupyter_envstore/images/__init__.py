"""Container images: their parts, where bases come from, how packages become layers. Nothing here needs Docker."""
