"""What articles say of techniques, and what of it matters to us."""
