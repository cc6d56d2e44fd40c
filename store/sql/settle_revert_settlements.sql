update settlements set status = 'reorged', failure = $2
where last >= $1 and status in ('prepared', 'sent', 'mined', 'final')
