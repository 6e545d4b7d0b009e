"""How the puppet acts: what happens in a clip (score), what each kind of act does (kinds), and the life that is always there (idle)."""
