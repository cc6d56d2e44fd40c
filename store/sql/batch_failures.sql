select count(*) from proof_failures where batch = $1
