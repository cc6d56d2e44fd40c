select status from batches where number = $1
