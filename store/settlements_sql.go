package store

// All statements about settlements.

const (
	// Settlements that are under way behind batch $1 cannot succeed without it.
	settleTakeBackSQL = `
		update settlements set status = 'failed', failure = $2
		where batch > $1 and status in ('prepared', 'sent')
		returning batch, last`

	// The highest fees with which a node may hold a transaction of this sender and nonce.
	settleFeesAtSQL = `
		select max(max_fee), max(max_tip) from settlements
		where sender = $1 and nonce = $2 and sent_at is not null and status <> 'final'`

	settleLiveSQL = `
		select tx_hash, sender, nonce from settlements
		where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('prepared', 'sent') for update`

	// $3 is the settlement that takes the place; zero-length when it is not stored yet.
	settleReplaceSQL = `
		update settlements set status = 'replaced'
		where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('prepared', 'sent') and tx_hash <> $3
		returning batch, last`

	// Another settlement of any of the batches that the chain has.
	settleOtherSQL = `
		select tx_hash from settlements
		where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('mined', 'final') and tx_hash <> $3`

	settleInsertSQL = `
		insert into settlements (batch, last, attempt, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip)
		select $1, $2, 1 + coalesce(max(attempt), 0), $3, $4, $5, $6, $7, $8, $9 from settlements where batch = $1
		returning id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		          prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure`

	settleSentSQL = `update settlements set status = 'sent', sent_at = now() where tx_hash = $1 and status = 'prepared'`

	settleMinedSQL = `
		update settlements
		set status = 'mined', block_number = $2, block_hash = $3, gas_used = $4, gas_price = $5, failure = null
		where tx_hash = $1`

	settleFailedSQL = `update settlements set status = 'failed', failure = $2 where tx_hash = $1`

	settleRevertSettlementsSQL = `
		update settlements set status = 'reorged', failure = $2
		where last >= $1 and status in ('prepared', 'sent', 'mined', 'final')`

	settleFinalizeSettlementsSQL = `update settlements set status = 'final' where last = any ($1::bigint[]) and status = 'mined'`

	// The live one, else the last. A range spans less than 64 batches.
	settlementShownSQL = `
		select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
		from settlements where batch between $1::bigint - 63 and $1 and last >= $1
		order by (status in ('prepared', 'sent', 'mined', 'final')) desc, id desc
		limit 1`

	settlementByHashSQL = `
		select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
		from settlements where tx_hash = $1`

	// A range spans less than 64 batches.
	settlementsOfBatchSQL = `
		select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
		from settlements where batch between $1::bigint - 63 and $1 and last >= $1 order by id`

	settlementsPendingSQL = `
		select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
		from settlements where status in ('prepared', 'sent') order by batch`

	// The last mined settlement by a proof of circuit $1, shape $2 and key $3. Of several
	// batches it has the key of their group.
	settlementLastSQL = `
		select s.id, s.batch, s.last, s.attempt, s.status, s.raw_tx, s.tx_hash, s.sender, s.nonce, s.gas_limit, s.max_fee, s.max_tip,
		       s.prepared_at, s.sent_at, s.block_number, s.block_hash, s.gas_used, s.gas_price, s.failure
		from settlements s
		join batches b on b.number = s.batch
		left join batch_groups g on g.first = s.batch and g.last = s.last and g.last > g.first and g.status = 'proven'
		where s.status in ('mined', 'final')
		  and case $1::text when 'aggregate' then g.shape = $2 and g.key_hash = $3
		                    else s.last = s.batch and b.shape = $2 and b.key_hash = $3 end
		order by s.batch desc limit 1`

	settlementsMinedSQL = `
		select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
		       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
		from settlements where status = 'mined' order by batch`

	// The first unsettled batch behind $1, whatever its status.
	settleNextSQL = `
		select number, status, shape, key_hash, old_root, new_root, commitment,
		       used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops,
		       transactions, sealed_at, proven_at, settled_at, final_at
		from batches where number > $1 and status in ('sealed', 'proven', 'settling') order by number limit 1`

	settleWaitedSQL = `select clock_timestamp() >= $1::timestamptz + $2::interval`

	settleAttemptsSQL = `select count(*) from settlements where batch = $1`
)
