select exists (select from proofs where batch = $1 and circuit = $2 and key_hash = $3)
