package store

// All statements about transactions.

const (
	transactionSelectSQL = `
		select id, kind, from_account, to_account, token, amount_packed, fee_packed, nonce, valid_until,
		       to_owner, to_l1, public_key, signature, seq, received_at, status, batch, position, assigned_index,
		       reject_code, reject_detail
		from transactions`

	// In order of index, as sealing locks them, so that the two cannot deadlock.
	admitLockSQL = `
		select index, token, nonce, balance from accounts
		where index = any ($1::bigint[])
		order by index
		for no key update`

	// The same ids, and what lives on the same nonces.
	admitKnownSQL = `
		select id, from_account, nonce, status from transactions
		where id = any ($1::bytea[])
		union
		select t.id, t.from_account, t.nonce, t.status
		from unnest($2::bigint[], $3::bigint[]) as wanted (from_account, nonce)
		join transactions t on t.from_account = wanted.from_account and t.nonce = wanted.nonce
		where t.status <> 'rejected'`

	// Indices are given out in sequence, so the last one is taken when none is left.
	admitExhaustedSQL = `select exists (select from accounts where index = 4294967295)`

	admitInsertSQL = `
		insert into transactions (id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
		                          nonce, valid_until, to_owner, to_l1, public_key, signature)
		select id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
		       nonce, valid_until, to_owner, to_l1, public_key, signature
		from unnest($1::bytea[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::numeric[], $7::bigint[],
		            $8::numeric[], $9::integer[], $10::bigint[], $11::bigint[], $12::bytea[], $13::bytea[], $14::bytea[],
		            $15::bytea[])
		    with ordinality as item (id, kind, from_account, to_account, token, amount, amount_packed, fee, fee_packed,
		                             nonce, valid_until, to_owner, to_l1, public_key, signature, place)
		order by place`

	// Rejected before: accepted anew, at the end of the order. The signature may be another
	// one over the same content.
	admitAgainSQL = `
		update transactions t
		set status = 'accepted', seq = default, received_at = now(), signature = item.signature,
		    reject_code = null, reject_detail = null
		from unnest($1::bytea[], $2::bytea[]) as item (id, signature)
		where t.id = item.id and t.status = 'rejected'`

	transactionsByIDSQL = transactionSelectSQL + ` where id = any ($1::bytea[])`

	// An exit-all (kind 4) has amount 0: what it takes is known when it is executed.
	pendingBySenderSQL = `
		select from_account, sum(amount + fee), bool_or(kind = 4), array_agg(nonce order by nonce)
		from transactions
		where status = 'accepted' and from_account = any ($1::bigint[])
		group by from_account`

	// Transactions follow their batches.
	transactionsFollowSQL = `update transactions set status = $2 where batch = any ($1::bigint[])`

	// Only accepted ones: the caller compares the count.
	sealTransactionsSQL = `
		update transactions t
		set status = 'executed', batch = $1, position = executed.place - 1, assigned_index = executed.assigned
		from unnest($2::bytea[], $3::bigint[]) with ordinality as executed (id, assigned, place)
		where t.id = executed.id and t.status = 'accepted'`

	// Only accepted ones: the caller compares the count.
	rejectTransactionsSQL = `
		update transactions t
		set status = 'rejected', reject_code = rejected.code, reject_detail = rejected.detail
		from unnest($1::bytea[], $2::text[], $3::text[]) as rejected (id, code, detail)
		where t.id = rejected.id and t.status = 'accepted'`

	// Those of settling batches are proven already.
	settleRevertTransactionsSQL = `update transactions set status = 'proven' where batch = any ($1::bigint[]) and status = 'settled'`

	transactionByIDSQL = transactionSelectSQL + ` where id = $1`

	transactionBatchStatusSQL = `select status from batches where number = $1`

	transactionsOfBatchSQL = transactionSelectSQL + ` where batch = $1 order by position`

	transactionsAcceptedSQL = transactionSelectSQL + ` where status = 'accepted' and seq > $1 order by seq limit $2`

	// Both counts come from partial indexes that hold unfinished work only.
	backlogSQL = `
		select (select count(*) from transactions where status = 'accepted'),
		       (select count(*) from batches where status = 'sealed')`
)
