"""Results for people: a table in the terminal, a page, a page for raters."""
