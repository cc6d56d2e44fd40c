update batches set status = 'proven', proven_at = now() where number = $1
