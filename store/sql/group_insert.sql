insert into batch_groups (first, last, status, shape, key_hash, reason) values ($1, $2, $3, $4, $5, $6)
