"""One diffusion concern per file."""
