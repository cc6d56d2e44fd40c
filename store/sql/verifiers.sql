select circuit, shape, key_hash, address from verifiers order by circuit, shape, key_hash
