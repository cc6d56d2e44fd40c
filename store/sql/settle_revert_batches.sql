-- What one transaction settled goes back together.
with done as (
    update batches set status = 'proven', settled_at = null
    where number >= (select least($1::bigint, min(batch)) from settlements where last >= $1 and status in ('prepared', 'sent', 'mined', 'final'))
      and status in ('settling', 'settled', 'final')
    returning number
)
select number from done order by number
