select number, root, status from (
    select number, new_root as root, status from batches where status in ('settled', 'final')
    union all
    select 0, genesis_root, 'final' from rollup
) s order by number desc limit 1
