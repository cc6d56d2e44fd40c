select epoch, released from leases where batch = $1 and circuit = $2 and key_hash = $3 for no key update
