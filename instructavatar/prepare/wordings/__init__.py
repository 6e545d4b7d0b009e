"""How people ask for each kind of act: cores by kind, and the grammar that makes sentences of them."""
