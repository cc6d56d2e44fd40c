update batches set status = 'settled', settled_at = now() where number = $1
