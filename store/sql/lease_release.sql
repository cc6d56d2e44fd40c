update leases set released = true
where batch = $1 and circuit = $2 and key_hash = $3 and epoch = $4 and not released
