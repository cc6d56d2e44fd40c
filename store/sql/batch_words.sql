select words from batches where number = $1
