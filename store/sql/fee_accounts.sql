select token, account, min_fee from fee_accounts order by token
