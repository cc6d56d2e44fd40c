-- Moves a proof to the refused ones, if it is the very one that is meant; $4 null: whichever is there.
with gone as (
    delete from proofs
    where batch = $1 and circuit = $2 and key_hash = $3 and ($4::bytea is null or proof = $4)
    returning batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, stored_at
)
insert into refused_proofs (batch, circuit, key_hash, shape, proof, inputs, epoch, late, worker, attempt, stored_at, reason, refused_by)
select gone.*, $5, $6 from gone
returning epoch, attempt, worker
