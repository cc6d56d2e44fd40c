update batches set status = 'settling' where number = $1 and status <> 'settling'
