update fee_accounts set min_fee = $2 where token = $1
