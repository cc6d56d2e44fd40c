-- The last batch that is proven with all before it, and its root: the batch before
-- the first sealed one, else the last batch, else genesis.
select number, root
from (
    (select number - 1 as number, old_root as root, 1 as choice
     from batches where status = 'sealed' order by number limit 1)
    union all
    (select number, new_root, 2 from batches order by number desc limit 1)
    union all
    (select 0, genesis_root, 3 from rollup)
) progress
order by choice
limit 1
