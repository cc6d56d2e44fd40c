select name, tx_hash, raw_tx from deployment_transactions order by id
