package jobs

import (
	"testing"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testdb"
)

// A report that waited for Postgres must not touch the next attempt, not even when
// that runs in the same process (seen in a drill: the note of a postponed attempt
// arrived after the job had been put back and fetched again).
func TestReportOfAnEarlierAttemptIsDropped(t *testing.T) {
	db := testdb.New(t)
	driver := newFencedDriver(&Config{Pool: db.Pool})
	first, second := time.Now().UTC().Truncate(time.Microsecond), time.Now().UTC().Truncate(time.Microsecond).Add(time.Second)
	var id int64
	require.NoError(t, db.Pool.QueryRow(t.Context(), `insert into river_job (kind, args, max_attempts, state, attempt, attempted_at)
		values ('prove_batch', '{}', 25, 'running', 2, $1) returning id`, second).Scan(&id))
	report := func() []*rivertype.JobRow {
		rows, err := driver.GetExecutor().JobSetStateIfRunningMany(t.Context(), &riverdriver.JobSetStateIfRunningManyParams{
			ID: []int64{id}, Attempt: []*int{nil}, ErrData: [][]byte{nil}, FinalizedAt: []*time.Time{nil},
			MetadataDoMerge: []bool{false}, MetadataUpdates: [][]byte{nil}, ScheduledAt: []*time.Time{&second}, State: []rivertype.JobState{rivertype.JobStateAvailable},
		})
		require.NoError(t, err)
		return rows
	}
	driver.ended.end(&rivertype.JobRow{ID: id, AttemptedAt: &first})
	require.Empty(t, report(), "the second attempt runs")
	driver.ended.end(&rivertype.JobRow{ID: id, AttemptedAt: &second})
	rows := report()
	require.Len(t, rows, 1)
	require.Equal(t, rivertype.JobStateAvailable, rows[0].State)
}
