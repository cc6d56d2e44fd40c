-- The latest event of an exit counts: a search during a reorg may see two.
insert into claims (batch, index, block, tx_hash)
select distinct on (batch, index) batch, index, block, tx_hash
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) as found (batch, index, block, tx_hash)
order by batch, index, block desc
on conflict (batch, index) do update set block = excluded.block, tx_hash = excluded.tx_hash
