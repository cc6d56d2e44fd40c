insert into witness_inputs (batch, version, hash, data) values ($1, $2, $3, $4)
