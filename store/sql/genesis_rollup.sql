insert into rollup (domain, chain_id, address, deploy_block, genesis_root, genesis_hash, unsafe_dev)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (only_row) do nothing
