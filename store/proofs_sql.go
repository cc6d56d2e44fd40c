package store

// All statements about proofs and failed attempts.

const (
	proofFailureInsertSQL = `
		insert into proof_failures (batch, circuit, key_hash, epoch, attempt, class, detail, worker)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`

	proofFailuresSQL = `
		select batch, circuit, key_hash, epoch, attempt, class, detail, worker, failed_at
		from proof_failures where batch = $1 order by id`

	proofBatchSQL = `select status, shape, key_hash, commitment, words from batches where number = $1 for no key update`

	proofInsertSQL = `
		insert into proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt,
		                    assign_us, solve_us, prove_us, peak_memory)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		on conflict (batch, circuit, key_hash) do nothing`

	proofsOfBatchSQL = `
		select circuit, shape, key_hash, proof, inputs, assign_us, solve_us, prove_us, peak_memory, worker, attempt, epoch, late, stored_at
		from proofs where batch = $1 order by circuit, stored_at`

	proofByKeySQL = `
		select circuit, shape, key_hash, proof, inputs, assign_us, solve_us, prove_us, peak_memory, worker, attempt, epoch, late, stored_at
		from proofs where batch = $1 and circuit = $2 and key_hash = $3`

	// Moves a proof to the refused ones, if it is the very one that is meant; $4 null: whichever is there.
	proofSetAsideSQL = `
		with gone as (
		    delete from proofs
		    where batch = $1 and circuit = $2 and key_hash = $3 and ($4::bytea is null or proof = $4)
		    returning batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, stored_at
		)
		insert into refused_proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, stored_at, reason, refused_by)
		select gone.*, $5, $6 from gone
		returning epoch, attempt, worker`

	proofUnprovenSQL = `update batches set status = 'sealed', proven_at = null where number = $1 and status = 'proven'`

	proofsRefusedSQL = `
		select id, batch, circuit, key_hash, shape, proof, inputs, epoch, worker, attempt, stored_at, reason, refused_by, refused_at
		from refused_proofs
		where ($1::bigint = 0 or batch = $1)
		order by id desc
		limit nullif($2::bigint, 0)`
)
