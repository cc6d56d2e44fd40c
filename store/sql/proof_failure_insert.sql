insert into proof_failures (batch, circuit, key_hash, epoch, attempt, class, detail, worker)
values ($1, $2, $3, $4, $5, $6, $7, $8)
