update settlements
set status = 'mined', block_number = $2, block_hash = $3, gas_used = $4, gas_price = $5, failure = null
where tx_hash = $1
