with done as (
    update batches set status = 'proven', settled_at = null
    where number >= $1 and status in ('settling', 'settled', 'final')
    returning number
)
select number from done order by number
