update batches set status = 'sealed', proven_at = null where number = $1 and status = 'proven'
