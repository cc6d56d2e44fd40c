select status from batches where number = $1 for no key update
