select g.first, g.last, g.status, coalesce(g.shape, ''), coalesce(g.key_hash, decode(repeat('00', 32), 'hex')), g.reason, g.planned_at, g.proven_at, false
from batch_groups g where int8range(g.first, g.last, '[]') @> $1::bigint
