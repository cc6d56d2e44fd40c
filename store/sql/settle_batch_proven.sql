update batches set status = 'proven' where number between $1 and $2 and status = 'settling'
