select id, batch, circuit, key_hash, shape, proof, inputs, epoch, worker, attempt, stored_at, reason, refused_by, refused_at
from refused_proofs
where ($1::bigint = 0 or batch = $1)
order by id desc
limit nullif($2::bigint, 0)
