update settlements set status = 'sent', sent_at = now() where tx_hash = $1 and status = 'prepared'
