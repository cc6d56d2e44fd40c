insert into deployment_transactions (name, tx_hash, raw_tx) values ($1, $2, $3) on conflict (tx_hash) do nothing
