select coalesce(min(block_number), 0) from settlements where last >= $1 and status in ('mined', 'final')
