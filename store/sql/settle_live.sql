select tx_hash, sender, nonce from settlements
where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('prepared', 'sent') for update
