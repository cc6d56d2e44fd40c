package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/node"
)

// TestPoolerIsRefused: whatever opens the database refuses a pooler that gives each
// transaction or statement another server process, at once and with the reason.
func TestPoolerIsRefused(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	direct := r.settings[node.EnvDatabase]
	poolers := map[string]string{
		"transaction": testdb.NewPooler(t, direct, 2, false).Address(),
		"statement":   testdb.NewPooler(t, direct, 2, false).RefuseTransactions().Address(),
	}
	for mode, address := range poolers {
		for _, line := range []string{
			"sequencer", "submitter", "aggregator", "worker", "api", "up", "up --migrate", "deploy --genesis " + r.genesisFile(), "db migrate", "db check", "status", "status --watch",
			"fees list", "fees set --token 0 --min-fee 1", "jobs list", "jobs show 1", "jobs retry --batch 1", "jobs refused", "jobs discard 1", "verifier list", "verifier propose --shape tiny",
			"verifier activate --shape tiny", "replay 1",
		} {
			if mode == "statement" && line != "api" && line != "status" { // the look is the same
				continue
			}
			said := testcmd.Refuse(t, r.env(node.EnvDatabase, address, "SETTLE_GENESIS", r.genesisFile()), strings.Fields(line)...)
			require.Contains(t, said, "a connection pooler in transaction mode stands before Postgres", line)
			require.Contains(t, said, "pool_mode = session", line)
		}
	}
}
