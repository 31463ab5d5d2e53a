"""How the kinds of data of a pipeline travel over topics: one file per kind."""
