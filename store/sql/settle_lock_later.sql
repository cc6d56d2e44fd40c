select number, status from batches where number > $1 and status = 'settling' order by number for no key update
