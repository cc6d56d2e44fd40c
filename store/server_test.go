package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/store"
)

func TestPoolingOfTransactionsIsRefused(t *testing.T) {
	db := testdb.Empty(t)
	require.NoError(t, store.CheckSessions(t.Context(), db.URL))
	require.NoError(t, store.CheckSessions(t.Context(), db.URL+"&pool_max_conns=4"), "what is a pool's is not told to the server")
	for name, p := range map[string]*testdb.Pooler{
		"one server connection":      testdb.NewPooler(t, db.URL, 1, false),
		"several, the last one used": testdb.NewPooler(t, db.URL, 3, false),
		"several, in turn":           testdb.NewPooler(t, db.URL, 3, true),
		"no transactions at all":     testdb.NewPooler(t, db.URL, 2, false).RefuseTransactions(),
	} {
		err := store.CheckSessions(t.Context(), p.Address())
		require.ErrorIs(t, err, store.ErrPooled, name)
		require.False(t, store.IsUnavailable(err), "waiting does not heal it: %s", name)
	}
	require.ErrorContains(t, store.ErrPooled, "pool_mode = session")
}

// TestTooFewServerProcesses: a pooler takes clients that it does not serve.
func TestTooFewServerProcesses(t *testing.T) {
	db := testdb.Empty(t)
	served, err := store.ServedAtOnce(t.Context(), db.URL, 5, time.Minute)
	require.NoError(t, err)
	require.Equal(t, 5, served)
	few := testdb.NewPooler(t, db.URL, 3, false).Limit(3)
	served, err = store.ServedAtOnce(t.Context(), few.Address(), 5, 2*time.Second)
	require.NoError(t, err)
	require.LessOrEqual(t, served, 3)
	again, err := store.ServedAtOnce(t.Context(), db.URL, 5, time.Minute)
	require.NoError(t, err)
	require.Equal(t, 5, again, "nothing is left behind")
}

func TestConnectionsAreCounted(t *testing.T) {
	db := testdb.Empty(t)
	c, err := store.CountConnections(t.Context(), db.Pool)
	require.NoError(t, err)
	require.Greater(t, c.Max, c.Reserved)
	require.Positive(t, c.Reserved)
	_, short := c.Needed(1)
	require.False(t, short)
	needed, short := c.Needed(c.Max)
	require.True(t, short)
	require.Equal(t, c.Reserved+c.Others+c.Max, needed)
}
