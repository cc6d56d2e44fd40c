with done as (
    update batches set status = 'final', final_at = now() where number <= $1 and status = 'settled' returning number
)
select number from done order by number
