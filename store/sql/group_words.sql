select number, new_root, commitment, words from batches where number between $1 and $2 order by number
