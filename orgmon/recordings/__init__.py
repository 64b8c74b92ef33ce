"""Finding and reading what is to be replayed: folders, files, standard input and buckets."""
