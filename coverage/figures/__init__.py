"""Where the team stands, in numbers: what is claimed, what is proven, by any group of techniques."""
