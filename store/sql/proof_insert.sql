insert into proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt,
                    assign_us, solve_us, prove_us, peak_memory)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
on conflict (batch, circuit, key_hash) do nothing
