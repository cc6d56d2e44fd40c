-- The proofs that a group folds, in order.
select p.circuit, p.shape, p.key_hash, p.proof, p.inputs
from batches b join proofs p on p.batch = b.number and p.circuit = $3 and p.key_hash = b.key_hash
where b.number between $1 and $2
order by b.number
