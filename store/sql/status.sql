-- Placed transactions are counted by their batches, which hold their number and share
-- their status; accepted and rejected ones by partial indexes.
with batch as (
    select count(*) filter (where status = 'sealed') as sealed,
           count(*) filter (where status = 'proven') as proven,
           count(*) filter (where status = 'settling') as settling,
           count(*) filter (where status = 'settled') as settled,
           count(*) filter (where status = 'final') as final,
           coalesce(sum(transactions) filter (where status = 'sealed'), 0) as tx_executed,
           coalesce(sum(transactions) filter (where status in ('proven', 'settling')), 0) as tx_proven,
           coalesce(sum(transactions) filter (where status = 'settled'), 0) as tx_settled,
           coalesce(sum(transactions) filter (where status = 'final'), 0) as tx_final
    from batches
), last as (
    select number, new_root from batches order by number desc limit 1
), settled as (
    select number, new_root from batches where status in ('settled', 'final') order by number desc limit 1
), final as (
    select number from batches where status = 'final' order by number desc limit 1
)
select (select count(*) from transactions where status = 'accepted'),
       batch.tx_executed::bigint, batch.tx_proven::bigint, batch.tx_settled::bigint, batch.tx_final::bigint,
       (select count(*) from transactions where status = 'rejected'),
       batch.sealed, batch.proven, batch.settling, batch.settled, batch.final,
       coalesce(clock_timestamp() - (select min(sealed_at) from batches where status = 'sealed'), '0')::interval,
       coalesce((select number from last), 0),
       coalesce((select new_root from last), rollup.genesis_root),
       coalesce((select number from settled), 0),
       coalesce((select new_root from settled), rollup.genesis_root),
       coalesce((select number from final), 0)
from rollup, batch
