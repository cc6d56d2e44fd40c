insert into fee_accounts (token, account, min_fee)
select * from unnest($1::bigint[], $2::bigint[], $3::numeric[])
