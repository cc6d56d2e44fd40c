-- The highest fees with which a node may hold a transaction of this sender and nonce.
select max(max_fee), max(max_tip) from settlements
where sender = $1 and nonce = $2 and sent_at is not null and status <> 'final'
