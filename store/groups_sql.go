package store

// All statements about groups of batches.

const (
	groupClockSQL = `select clock_timestamp()`

	// The proofs that a group folds, in order.
	groupProofsSQL = `
		select p.circuit, p.shape, p.key_hash, p.proof, p.inputs
		from batches b join proofs p on p.batch = b.number and p.circuit = $3 and p.key_hash = b.key_hash
		where b.number between $1 and $2
		order by b.number`

	groupInsertSQL = `insert into batch_groups (first, last, status, shape, key_hash, reason) values ($1, $2, $3, $4, $5, $6)`

	groupDirectSQL = `update batch_groups set status = 'direct', reason = $3 where first = $1 and last = $2 and status = 'planned'`

	groupGiveUpSQL = `update batch_groups set status = 'direct', reason = $2 where first = $1 and status <> 'direct'`

	// A group that was given up stays so.
	groupProvenSQL = `update batch_groups set status = 'proven', proven_at = clock_timestamp() where first = $1 and status = 'planned'`

	// Batches that settle in another range than their group's leave the rest of it to settle directly.
	groupDissolveSQL = `
		update batch_groups set status = 'direct', reason = $3
		where int8range(first, last, '[]') && int8range($1, $2, '[]') and (first, last) <> ($1, $2) and status <> 'direct'`

	groupWordsSQL = `select number, new_root, commitment, words from batches where number between $1 and $2 order by number`
)
