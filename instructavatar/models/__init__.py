"""Pure torch networks."""
