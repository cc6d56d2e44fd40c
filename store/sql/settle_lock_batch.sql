select number, status from batches where number between $1 and $2 order by number for no key update
