-- Not a part of what one transaction settled.
with done as (
    update batches b set status = 'final', final_at = now()
    where b.number <= $1 and b.status = 'settled'
      and not exists (select from settlements s where s.status = 'mined' and b.number between s.batch and s.last and s.last > $1)
    returning b.number
)
select number from done order by number
