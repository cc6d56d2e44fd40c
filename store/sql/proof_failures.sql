select batch, circuit, key_hash, epoch, attempt, class, detail, worker, failed_at
from proof_failures where batch = $1 order by id
