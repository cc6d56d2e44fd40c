select index, owner, token, nonce, balance, l1, leaf from accounts
where owner = $1 and l1 = $2 and index > $3
order by index
limit $4
