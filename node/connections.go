package node

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/zksettle/settle/store"
)

// ownConnections is what a role holds beside the pool: the lock of a single-writer role,
// and a listener.
const ownConnections = 2

// servedWithin is how long connections may take to be served, all at once.
const servedWithin = 10 * time.Second

// connectionsOf is how many connections a process with this pool may take.
func connectionsOf(pool *pgxpool.Pool) int { return int(pool.Config().MaxConns) + ownConnections }

// WarnOfConnections says how many connections are missing for this command, which takes
// so many beside those of the database's pool, before a role finds out under load. It goes
// on: pools are seldom full, and what is refused is tried again.
func (n *Node) WarnOfConnections(ctx context.Context, more int) {
	ours := connectionsOf(n.DB.Pool) + more
	c, err := store.CountConnections(ctx, n.DB.Pool)
	if err != nil {
		n.Log.Debug("connections cannot be counted", "error", Redact(err, n.DB.URL))
		return
	}
	if needed, short := c.Needed(ours); short {
		n.Log.Warn("Postgres has too few connections for this command", "max_connections", c.Max, "needed", needed,
			"of_this_command", ours, "of_others", c.Others, "reserved", c.Reserved,
			"remedy", "raise max_connections of Postgres to the number needed and restart it, or add pool_max_conns to DATABASE_URL")
		return
	}
	served, err := store.ServedAtOnce(ctx, n.DB.URL, ours, servedWithin)
	if err == nil && served < ours {
		n.Log.Warn("a connection pooler before Postgres serves too few connections at a time for this command", "served", served, "needed", ours,
			"consequence", "roles wait for each other without a word",
			"remedy", "raise default_pool_size of the pooler for this database to the number that all commands need together, or connect to Postgres itself")
	}
}
