-- In order of index, as sealing locks them, so that the two cannot deadlock.
select index, token, nonce, balance from accounts
where index = any ($1::bigint[])
order by index
for no key update
