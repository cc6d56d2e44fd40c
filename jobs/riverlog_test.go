package jobs

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRiversMessages(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cfg := &Config{
		Logger: slog.New(slog.NewJSONHandler(&out, nil)).With("role", "worker"), Policy: Policy{Remind: time.Hour},
	}
	log := newRiverLog(cfg).With("client_id", "x")
	said := func() []map[string]any {
		var lines []map[string]any
		for decoder := json.NewDecoder(&out); decoder.More(); {
			var line map[string]any
			require.NoError(t, decoder.Decode(&line))
			lines = append(lines, line)
		}
		out.Reset()
		return lines
	}
	log.Info("producer: Producer job counts", "num_completed_jobs", 1)
	log.Warn("Client: Soft stop timeout; cancelling remaining job contexts")
	require.Empty(t, said(), "what River counts is nobody's business")

	log.Error("jobexecutor.JobExecutor: Failed to report error for job", "job_id", 7, "err", "away")
	log.Error("jobexecutor.JobExecutor: Failed to report error for job", "job_id", 7, "err", "away")
	lines := said()
	require.Len(t, lines, 1, "it is said once a period")
	for field, want := range map[string]any{
		"level": "WARN", "msg": "queue: Failed to report error for job", "job": 7.0, "error": "away", "role": "worker", "client_id": "x",
	} {
		require.Equal(t, want, lines[0][field], field)
	}
	require.NotContains(t, lines[0], "job_id")

	cfg.Policy.Remind = time.Nanosecond
	log = newRiverLog(cfg)
	log.Warn("other")
	log.Warn("other")
	require.Len(t, said(), 2, "and again after it")
}
