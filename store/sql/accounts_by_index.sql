select index, owner, token, nonce, balance, l1, leaf from accounts where index = any ($1::bigint[])
