insert into settlements (batch, last, attempt, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip)
select $1, $2, 1 + coalesce(max(attempt), 0), $3, $4, $5, $6, $7, $8, $9 from settlements where batch = $1
returning id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
          prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
