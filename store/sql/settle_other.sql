-- Another settlement of any of the batches that the chain has.
select tx_hash from settlements
where int8range(batch, last, '[]') && int8range($1, $2, '[]') and status in ('mined', 'final') and tx_hash <> $3
