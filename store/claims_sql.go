package store

// All statements about claims of exits.

const (
	claimsFollowedSQL = `select head, final, revision from claims_followed`

	// No row comes back when the revision is another than the one that was looked at.
	claimsAdvanceSQL = `
		insert into claims_followed (head, final, revision) values ($1, $2, $3::bigint + 1)
		on conflict (only_row) do update set head = excluded.head, final = excluded.final, revision = excluded.revision
		where claims_followed.revision = $3
		returning head, final, revision`

	claimsDeleteSQL = `delete from claims where block > $1 and block <= $2`

	// The latest event of an exit counts: a search during a reorg may see two.
	claimsInsertSQL = `
		insert into claims (batch, index, block, tx_hash)
		select distinct on (batch, index) batch, index, block, tx_hash
		from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) as found (batch, index, block, tx_hash)
		order by batch, index, block desc
		on conflict (batch, index) do update set block = excluded.block, tx_hash = excluded.tx_hash`

	claimsUndoneFromSQL = `select coalesce(min(block_number), 0) from settlements where last >= $1 and status in ('mined', 'final')`

	// Also where nothing was read yet, so that a search that is under way is found out.
	claimsRetreatSQL = `
		insert into claims_followed (head, final, revision) values (0, 0, 1)
		on conflict (only_row) do update set
		    head = least(claims_followed.head, greatest($1::bigint - 1, 0)),
		    final = least(claims_followed.final, greatest($1::bigint - 1, 0)),
		    revision = claims_followed.revision + 1`

	// A range spans less than 64 batches. What was claimed before the batch was settled was
	// claimed on a branch that the chain has left.
	claimsOfSQL = `
		select n.batch, coalesce(f.head, 0), coalesce(f.head >= s.block_number, false),
		       array(select c.index from claims c where c.batch = n.batch and c.block >= s.block_number order by c.index),
		       array(select c.tx_hash from claims c where c.batch = n.batch and c.block >= s.block_number order by c.index)
		from unnest($1::bigint[]) as n (batch)
		left join claims_followed f on true
		left join lateral (
		    select block_number from settlements
		    where batch between n.batch - 63 and n.batch and last >= n.batch and status in ('mined', 'final')
		    limit 1
		) s on true`
)
