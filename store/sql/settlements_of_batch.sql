-- A range spans less than 64 batches.
select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
from settlements where batch between $1::bigint - 63 and $1 and last >= $1 order by id
