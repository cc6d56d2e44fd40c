update settlements set status = 'reorged', failure = $2
where batch >= $1 and status in ('prepared', 'sent', 'mined', 'final')
