-- A proof counts once StoreProof has made its batch proven, or its group. A row beside a
-- sealed batch or a planned group was written by somebody else: it stops nobody.
select exists (
    select from proofs p join batches b on b.number = p.batch
    where p.batch = $1 and p.circuit = $2 and p.key_hash = $3
      and (p.circuit = 'aggregate' or b.status <> 'sealed')
      and not exists (
          select from batch_groups g
          where p.circuit = 'aggregate' and g.first = p.batch and g.key_hash = p.key_hash and g.status = 'planned'))
