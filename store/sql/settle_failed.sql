update settlements set status = 'failed', failure = $2 where tx_hash = $1
