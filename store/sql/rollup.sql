select domain, chain_id, address, deploy_block, genesis_root, genesis_hash, unsafe_dev from rollup
