-- The last mined settlement by a proof of circuit $1, shape $2 and key $3. Of several
-- batches it has the key of their group.
select s.id, s.batch, s.last, s.attempt, s.status, s.raw_tx, s.tx_hash, s.sender, s.nonce, s.gas_limit, s.max_fee, s.max_tip,
       s.prepared_at, s.sent_at, s.block_number, s.block_hash, s.gas_used, s.gas_price, s.failure
from settlements s
join batches b on b.number = s.batch
left join batch_groups g on g.first = s.batch and g.last = s.last and g.last > g.first and g.status = 'proven'
where s.status in ('mined', 'final')
  and case $1::text when 'aggregate' then g.shape = $2 and g.key_hash = $3
                    else s.last = s.batch and b.shape = $2 and b.key_hash = $3 end
order by s.batch desc limit 1
