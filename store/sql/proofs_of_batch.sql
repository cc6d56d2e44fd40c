select circuit, shape, key_hash, proof, inputs, assign_us, solve_us, prove_us, peak_memory, worker, attempt, epoch, late, stored_at
from proofs where batch = $1 order by circuit, stored_at
