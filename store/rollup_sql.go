package store

// All statements about the rollup, its verifiers, fee accounts and deployment.

const (
	deploymentTransactionsSQL = `select name, tx_hash, raw_tx from deployment_transactions order by id`

	deploymentAddSQL = `insert into deployment_transactions (name, tx_hash, raw_tx) values ($1, $2, $3) on conflict (tx_hash) do nothing`

	genesisRollupSQL = `
		insert into rollup (domain, chain_id, address, deploy_block, genesis_root, genesis_hash, unsafe_dev)
		values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (only_row) do nothing`

	genesisFeeAccountsSQL = `
		insert into fee_accounts (token, account, min_fee)
		select * from unnest($1::bigint[], $2::bigint[], $3::numeric[])`

	genesisVerifiersSQL = `
		insert into verifiers (circuit, shape, key_hash, address)
		select * from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
		on conflict (circuit, key_hash) do nothing`

	rollupSQL = `select domain, chain_id, address, deploy_block, genesis_root, genesis_hash, unsafe_dev from rollup`

	verifiersSQL = `select circuit, shape, key_hash, address from verifiers order by circuit, shape, key_hash`

	feeAccountsSQL = `select token, account, min_fee from fee_accounts order by token`

	lockMinFeeSQL = `select min_fee from fee_accounts where token = $1 for update`

	setMinFeeSQL = `update fee_accounts set min_fee = $2 where token = $1`
)
