insert into batches (number, shape, key_hash, old_root, new_root, commitment, words, transactions,
                     used_transfers, used_accounts, used_nodes, used_fee_accounts, used_opens, used_exits, used_l1_ops)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
