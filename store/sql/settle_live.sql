select tx_hash, sender, nonce from settlements where batch = $1 and status in ('prepared', 'sent') for update
