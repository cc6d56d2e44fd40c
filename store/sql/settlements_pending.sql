select id, batch, last, attempt, status, raw_tx, tx_hash, sender, nonce, gas_limit, max_fee, max_tip,
       prepared_at, sent_at, block_number, block_hash, gas_used, gas_price, failure
from settlements where status in ('prepared', 'sent') order by batch
