update batches set status = 'proven' where number = $1
