select status, shape, key_hash, commitment, words from batches where number = $1 for no key update
