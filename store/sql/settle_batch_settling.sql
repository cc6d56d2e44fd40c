update batches set status = 'settling' where number between $1 and $2 and status <> 'settling'
