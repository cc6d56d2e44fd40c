select index, owner, token, nonce, balance, l1, leaf from accounts order by index
