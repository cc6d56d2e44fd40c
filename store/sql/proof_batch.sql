select status, shape, key_hash, commitment from batches where number = $1 for no key update
