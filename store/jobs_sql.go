package store

// All statements about proof_jobs. Whoever holds job, epoch and status running holds the
// lease: each statement that ends an attempt asks for the three, and whoever takes a job
// from a worker raises its epoch, so that what the worker says later finds no row.

const (
	// proofDone, of a job j: its proof is stored and counts, which it does once StoreProof has
	// made batch or group proven. A row beside a sealed batch or a planned group is of somebody else.
	proofDone = `(exists (select from proofs p where p.batch = j.batch and p.circuit = j.circuit and p.key_hash = j.key_hash)
		and case when j.circuit = 'aggregate'
			then not exists (select from batch_groups g where g.first = j.batch and g.key_hash = j.key_hash and g.status = 'planned')
			else not exists (select from batches b where b.number = j.batch and b.status = 'sealed') end)`

	// isHeld, of a job j: $1 and $2 are the job and the epoch of a lease that is current.
	isHeld = `j.id = $1 and j.epoch = $2 and j.status = 'running'`

	jobColumns   = `j.id, j.batch, j.circuit, j.key_hash, j.last, j.shape`
	leaseColumns = jobColumns + `, j.epoch, j.attempt, j.holder, j.due_at, j.begun_at, j.heartbeat_at, j.expires_at`
)

const (
	jobInsertSQL = `insert into proof_jobs (batch, circuit, key_hash, last, shape) values ($1, $2, $3, $4, $5)`

	// The oldest batch goes first, however its job came back to the queue: settlement goes in
	// order and waits for it. A fold has the place of its first batch, before all that is yet
	// to be proven. A back-off delays its own job alone.
	jobClaimSQL = `
		with next as (
			select id from proof_jobs
			where status = 'available' and due_at <= clock_timestamp()
			  and (circuit, shape, key_hash) in (select * from unnest($1::text[], $2::text[], $3::bytea[]))
			  and (memory_above is null or memory_above < $4 or memory_until <= clock_timestamp())
			order by batch, id
			limit 1
			for no key update skip locked
		)
		update proof_jobs j
		set status = 'running', attempt = attempt + 1, epoch = epoch + 1, holder = $5,
		    begun_at = clock_timestamp(), heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $6::interval
		from next where j.id = next.id
		returning ` + leaseColumns + `, ` + proofDone + ` as done`

	// Kinds of proofs that are due and waited for.
	jobsDueSQL = `select distinct circuit, shape, key_hash from proof_jobs where status = 'available' and due_at <= clock_timestamp()`

	// An overdue lease that nobody has taken lives on.
	jobHeartbeatSQL = `
		with beat as (
			update proof_jobs j set heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + $3::interval
			where ` + isHeld + ` returning id
		)
		select exists (select from beat) as held, j.status = 'cancelled' as cancelled, ` + proofDone + ` as done
		from proof_jobs j where j.id = $1`

	leasesExpiredSQL = `select ` + leaseColumns + ` from proof_jobs j
		where j.status = 'running' and j.expires_at <= clock_timestamp() order by j.expires_at`

	// $3: only if it is overdue.
	jobLockSQL = `select from proof_jobs j where ` + isHeld + ` and (not $3::boolean or j.expires_at <= clock_timestamp()) for no key update`

	// Whether the lease is current; no row if there is no such job of this proof.
	jobCurrentSQL = `select j.epoch = $2 and j.status = 'running' from proof_jobs j
		where j.id = $1 and j.batch = $3 and j.circuit = $4 and j.key_hash = $5 for no key update`

	jobDoneSQL = `select ` + proofDone + ` from proof_jobs j where j.id = $1`

	// Given back without a failure, which costs no attempt.
	jobReleaseSQL = `
		update proof_jobs j
		set status = case when ` + proofDone + ` then 'completed' else 'available' end, epoch = epoch + 1, due_at = clock_timestamp(),
		    attempt = case when ` + proofDone + ` then attempt else attempt - 1 end, finished_at = case when ` + proofDone + ` then clock_timestamp() end
		where ` + isHeld

	// After a failure. The caller has locked the row.
	jobRequeueSQL = `
		update proof_jobs
		set status = case when $2::boolean then 'discarded' else 'available' end, finished_at = case when $2 then clock_timestamp() end,
		    epoch = epoch + 1, due_at = clock_timestamp() + $3::interval,
		    memory_above = case when $4::bigint > 0 then $4 else memory_above end,
		    memory_until = case when $4 > 0 then clock_timestamp() + $5::interval else memory_until end
		where id = $1`

	// Its proof is stored. A job that another worker is at stays with that one, which hears of it by its heartbeat.
	jobCompleteSQL = `update proof_jobs j set status = 'completed', finished_at = clock_timestamp()
		where (` + isHeld + `) or (j.id = $1 and j.status in ('available', 'discarded'))`

	// The jobs of groups that settle directly, of batches $1 to $2. A worker that is at one
	// hears of it by its heartbeat.
	jobsCancelSQL = `
		update proof_jobs j set status = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
		from batch_groups g
		where int8range(g.first, g.last, '[]') && int8range($1, $2, '[]') and g.status = 'direct'
		  and j.circuit = 'aggregate' and j.batch = g.first and j.status in ('available', 'running')`

	// The first batch whose proof was set aside after its job was done. Two that look at once
	// take different ones; the batch is locked too, as a late proof may come in.
	jobAwaitedSQL = `select ` + jobColumns + ` from proof_jobs j join batches b on b.number = j.batch and b.key_hash = j.key_hash
		where j.circuit = 'transition' and j.status = 'completed' and b.status = 'sealed'
		order by j.batch limit 1 for no key update skip locked`

	// The state of a job that a person changes is read and written under this.
	jobHoldSQL = `select from proof_jobs where id = $1 for no key update`

	jobRetrySQL = `update proof_jobs set status = 'available', due_at = clock_timestamp(), finished_at = null, memory_above = null, memory_until = null
		where id = $1 and status <> 'running'`

	jobDiscardSQL = `update proof_jobs set status = 'discarded', finished_at = clock_timestamp() where id = $1 and status = 'available'`
)

// What is shown.
const (
	// A job to fold a group that settles directly by now has nothing left to do, like one whose
	// proof is stored. Newest batch first.
	jobsSQL = `
		select ` + jobColumns + `, j.status, j.attempt, j.created_at, j.due_at, j.begun_at, j.finished_at,
		       b.status as batch_status, done.yes as proven,
		       case when j.status = 'running' then j.holder end as holder, case when j.status = 'running' then j.heartbeat_at end as heartbeat_at,
		       j.memory_above, j.memory_until,
		       (select count(*) from proof_failures f where f.batch = j.batch and f.circuit = j.circuit and f.key_hash = j.key_hash) as failures,
		       f.class as last_class, f.detail as last_error, f.failed_at as last_at
		from proof_jobs j
		join batches b on b.number = j.batch
		cross join lateral (
			select ` + proofDone + ` or j.circuit = 'aggregate' and exists (
				select from batch_groups g where g.first = j.batch and g.status = 'direct') as yes
		) done
		left join lateral (
			select class, detail, failed_at from proof_failures f
			where f.batch = j.batch and f.circuit = j.circuit and f.key_hash = j.key_hash order by f.id desc limit 1
		) f on true
		where ($1::bigint = 0 or j.id = $1)
		  and ($2::bigint = 0 or j.batch = $2)
		  and (not $3::boolean or (not done.yes and j.status in ('discarded', 'cancelled')))
		  and ($4::text[] is null or j.status = any($4))
		order by j.batch desc, j.id desc
		limit nullif($5::bigint, 0)`

	jobCountsSQL = `
		select count(*) filter (where status = 'available') as waiting, count(*) filter (where status = 'running') as running,
		       count(*) filter (where status = 'discarded') as discarded
		from proof_jobs where status in ('available', 'running', 'discarded')`

	// The first unproven batch, if its job waits for a person or a person has deleted it.
	blockageSQL = `
		select b.number as batch, j.id as job, j.status, f.class, f.detail,
		       (select count(*) from batches where number > b.number and status = 'proven') as behind
		from (select number, key_hash from batches where status = 'sealed' order by number limit 1) b
		left join proof_jobs j on j.batch = b.number and j.circuit = 'transition' and j.key_hash = b.key_hash
		left join lateral (select class, detail from proof_failures where batch = b.number order by id desc limit 1) f on true
		where j.id is null or j.status in ('discarded', 'cancelled')`

	// Of each batch whose job was put back after a dead worker, or whose proof failed or was
	// set aside: the last such time, when its proof was begun again, and how many proofs of
	// later batches were begun in between.
	overtakingsSQL = `
		select f.batch, f.failed_at as put_back, j.begun_at as begun,
		       (select count(*) from proof_jobs o
		        where o.circuit = j.circuit and o.batch > j.batch and o.begun_at > f.failed_at and o.begun_at < j.begun_at) as "by"
		from (
			select batch, key_hash, max(failed_at) as failed_at
			from proof_failures where circuit = 'transition' group by batch, key_hash
		) f
		join proof_jobs j on j.batch = f.batch and j.circuit = 'transition' and j.key_hash = f.key_hash and j.begun_at > f.failed_at
		order by f.batch`

	// What the planner of groups sees: unsettled batches up to the first unproven one, behind
	// which nothing is decided.
	groupQueueSQL = `
		select b.number, b.status, b.key_hash, b.proven_at, b.used_exits + b.used_l1_ops as exits, octet_length(b.words) / 32 as words,
		       b.status = 'sealed' and (j.id is null or j.status in ('discarded', 'cancelled')) as dead_letter
		from batches b
		left join proof_jobs j on j.batch = b.number and j.circuit = 'transition' and j.key_hash = b.key_hash
		where b.status in ('sealed', 'proven', 'settling')
		  and b.number <= coalesce((select min(number) from batches where status = 'sealed'), b.number)
		order by b.number`

	groupColumns = `g.first, g.last, g.status, coalesce(g.shape, '') as shape,
		coalesce(g.key_hash, decode(repeat('00', 32), 'hex')) as key_hash, g.reason, g.planned_at, g.proven_at`

	groupLockSQL = `select from batch_groups where first = $1 for no key update`

	// Groups that hold unsettled batches, with the fate of their jobs.
	groupsUnsettledSQL = `
		select ` + groupColumns + `, g.status = 'planned' and (j.id is null or j.status not in ('available', 'running')) as dead_letter
		from batch_groups g
		left join proof_jobs j on j.batch = g.first and j.circuit = 'aggregate' and j.key_hash = g.key_hash
		where g.last >= (select min(number) from batches where status in ('sealed', 'proven', 'settling'))
		order by g.first`

	groupOfSQL = `select ` + groupColumns + `, false as dead_letter from batch_groups g where int8range(g.first, g.last, '[]') @> $1::bigint`
)
