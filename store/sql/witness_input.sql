select version, hash, data from witness_inputs where batch = $1
