select min_fee from fee_accounts where token = $1 for update
