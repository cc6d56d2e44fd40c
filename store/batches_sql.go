package store

// All statements about batches, their witness inputs and how far they are.

const (
	batchByNumberSQL = `
		select number, status, shape, key_hash, old_root, new_root, commitment,
		       used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops,
		       transactions, sealed_at, proven_at, settled_at, final_at
		from batches where number = $1`

	// $1 is 0 for no bound.
	batchesBeforeSQL = `
		select number, status, shape, key_hash, old_root, new_root, commitment,
		       used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops,
		       transactions, sealed_at, proven_at, settled_at, final_at
		from batches where $1::bigint = 0 or number < $1 order by number desc limit $2`

	batchWordsSQL = `select words from batches where number = $1`

	batchFailuresSQL = `select count(*) from proof_failures where batch = $1`

	witnessInputSQL = `select version, hash, data from witness_inputs where batch = $1`

	// Placed transactions are counted by their batches, which hold their number and share
	// their status; accepted and rejected ones by partial indexes.
	statusSQL = `
		with batch as (
		    select count(*) filter (where status = 'sealed') as sealed,
		           count(*) filter (where status = 'proven') as proven,
		           count(*) filter (where status = 'settling') as settling,
		           count(*) filter (where status = 'settled') as settled,
		           count(*) filter (where status = 'final') as final,
		           coalesce(sum(transactions) filter (where status = 'sealed'), 0) as tx_executed,
		           coalesce(sum(transactions) filter (where status in ('proven', 'settling')), 0) as tx_proven,
		           coalesce(sum(transactions) filter (where status = 'settled'), 0) as tx_settled,
		           coalesce(sum(transactions) filter (where status = 'final'), 0) as tx_final
		    from batches
		), last as (
		    select number, new_root from batches order by number desc limit 1
		), settled as (
		    select number, new_root from batches where status in ('settled', 'final') order by number desc limit 1
		), final as (
		    select number from batches where status = 'final' order by number desc limit 1
		)
		select (select count(*) from transactions where status = 'accepted'),
		       batch.tx_executed::bigint, batch.tx_proven::bigint, batch.tx_settled::bigint, batch.tx_final::bigint,
		       (select count(*) from transactions where status = 'rejected'),
		       batch.sealed, batch.proven, batch.settling, batch.settled, batch.final,
		       coalesce(clock_timestamp() - (select min(sealed_at) from batches where status = 'sealed'), '0')::interval,
		       coalesce((select number from last), 0),
		       coalesce((select new_root from last), rollup.genesis_root),
		       coalesce((select number from settled), 0),
		       coalesce((select new_root from settled), rollup.genesis_root),
		       coalesce((select number from final), 0)
		from rollup, batch`

	exitBatchesSQL = `
		select distinct t.batch from transactions t join batches b on b.number = t.batch
		where t.to_l1 = $1 and t.kind in (3, 4) and t.batch is not null and t.batch > $2 and b.status in ('settled', 'final')
		order by t.batch
		limit $3`

	// Genesis is batch 0 and final.
	batchProgressSQL = `
		select b.number, b.new_root, b.status from batches b where b.number = $1
		union all
		select 0, r.genesis_root, 'final' from rollup r where $1 = 0`

	settledProgressSQL = `
		select number, root, status from (
		    select number, new_root as root, status from batches where status in ('settled', 'final')
		    union all
		    select 0, genesis_root, 'final' from rollup
		) s order by number desc limit 1`

	// The last batch that is proven with all before it, and its root: the batch before
	// the first sealed one, else the last batch, else genesis.
	provenProgressSQL = `
		select number, root
		from (
		    (select number - 1 as number, old_root as root, 1 as choice
		     from batches where status = 'sealed' order by number limit 1)
		    union all
		    (select number, new_root, 2 from batches order by number desc limit 1)
		    union all
		    (select 0, genesis_root, 3 from rollup)
		) progress
		order by choice
		limit 1`

	batchProvenSQL = `update batches set status = 'proven', proven_at = now() where number = $1`

	sealBatchSQL = `
		insert into batches (number, shape, key_hash, old_root, new_root, commitment, words, transactions,
		                     used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

	sealWitnessInputSQL = `insert into witness_inputs (batch, version, hash, data) values ($1, $2, $3, $4)`

	settleLockBatchSQL = `select number, status from batches where number between $1 and $2 order by number for no key update`

	settleLockLaterSQL = `select number, status from batches where number > $1 and status = 'settling' order by number for no key update`

	// Batches $1 to $2 of a replaced settlement that are not among $3 to $4 of the one in its place.
	settleReleaseBatchesSQL = `update batches set status = 'proven' where number between $1 and $2 and number not between $3 and $4 and status = 'settling'`

	settleBatchSettlingSQL = `update batches set status = 'settling' where number between $1 and $2 and status <> 'settling'`

	settleBatchSettledSQL = `update batches set status = 'settled', settled_at = now() where number between $1 and $2`

	settleBatchProvenSQL = `update batches set status = 'proven' where number between $1 and $2 and status = 'settling'`

	// What one transaction settled goes back together.
	settleRevertBatchesSQL = `
		with done as (
		    update batches set status = 'proven', settled_at = null
		    where number >= (select least($1::bigint, min(batch)) from settlements where last >= $1 and status in ('prepared', 'sent', 'mined', 'final'))
		      and status in ('settling', 'settled', 'final')
		    returning number
		)
		select number from done order by number`

	// Not a part of what one transaction settled.
	settleFinalizeBatchesSQL = `
		with done as (
		    update batches b set status = 'final', final_at = now()
		    where b.number <= $1 and b.status = 'settled'
		      and not exists (select from settlements s where s.status = 'mined' and b.number between s.batch and s.last and s.last > $1)
		    returning b.number
		)
		select number from done order by number`

	standstillSQL = `select reason, since from standstills where role = $1`

	standstillNoteSQL = `insert into standstills (role, reason) values ($1, $2) on conflict (role) do update set reason = excluded.reason`

	standstillOverSQL = `delete from standstills where role = $1`
)
