-- Settlements that are under way behind batch $1 cannot succeed without it.
update settlements set status = 'failed', failure = $2
where batch > $1 and status in ('prepared', 'sent')
returning batch, last
