package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/store"
)

// TestOneDeploymentAtATime: a second run on the database signs nothing, and can be made again when the first is done.
func TestOneDeploymentAtATime(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	first, err := r.store.AcquireWriter(t.Context(), store.RoleSubmitter, "the first run")
	require.NoError(t, err)
	said := testcmd.Refuse(t, r.env(), "deploy", "--genesis", r.genesisFile())
	require.Contains(t, said, "another process deploys on this database")
	require.Contains(t, said, "the first run")
	sent, err := r.store.DeploymentTransactions(t.Context())
	require.NoError(t, err)
	require.Empty(t, sent)
	require.NoError(t, first.Release(t.Context()))
	r.deploy()
	require.Contains(t, testcmd.Refuse(t, r.env(), "deploy", "--genesis", r.genesisFile()), "this database belongs to the rollup")
}
