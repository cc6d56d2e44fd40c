update batches set status = 'settled', settled_at = now() where number between $1 and $2
