package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/state"
)

// TestJSONIsSnakeCase: every field of what commands write as JSON is named, in snake case.
func TestJSONIsSnakeCase(t *testing.T) {
	t.Parallel()
	testcmd.RequireSnakeCase(t, map[string]any{"demo.go r": demoReport{}})
}

// userSettings are of the user's other servers: any of them would keep a client from ours.
var userSettings = map[string]string{
	"PGHOST": "elsewhere", "PGPORT": "6543", "PGUSER": "nobody", "PGDATABASE": "other", "PGPASSWORD": "wrong", "PGSSLMODE": "verify-full",
	"PGSERVICE": "absent", "PGSERVICEFILE": "/absent", "PGPASSFILE": "/absent", "PGOPTIONS": "-c search_path=absent -c statement_timeout=1",
	"PGAPPNAME": "other", "PGCONNECT_TIMEOUT": "never", "PGTARGETSESSIONATTRS": "standby", "PGMINPROTOCOLVERSION": "9.9", "PGREQUIREAUTH": "nonsense",
}

// dev is a rollup that settle-dev runs.
type dev struct {
	t      *testing.T
	env    []string
	files  string // folder of genesis.json and key files
	client *client.Client
	url    string
	sent   int
}

func newDev(t *testing.T, settings map[string]string) *dev {
	t.Helper()
	d := &dev{t: t, env: testcmd.Environment(t, settings), files: filepath.Join(testcmd.NewDir(t), "dev")}
	testcmd.Settle(t, d.env, "wallet", "genesis", "--out", d.files, "--accounts", "2")
	return d
}

func (d *dev) genesis() string { return filepath.Join(d.files, "genesis.json") }

// up starts everything.
func (d *dev) up() *testcmd.Process {
	d.t.Helper()
	p := testcmd.Launch(d.t, d.env, "up", "--genesis", d.genesis())
	d.url = p.Await(`msg="the API is up" url=(http://\S+)`)[1]
	var err error
	d.client, err = client.New(d.url, client.WithRetries())
	require.NoError(d.t, err)
	return p
}

// pay sends a transfer by the wallet's command, and waits until it is final.
func (d *dev) pay() {
	d.t.Helper()
	status, err := d.client.Status(d.t.Context())
	require.NoError(d.t, err)
	file, err := os.ReadFile(d.genesis())
	require.NoError(d.t, err)
	genesis, err := state.ParseGenesis(file)
	require.NoError(d.t, err)
	to := genesis.Accounts[1]
	testcmd.Settle(d.t, d.env, "wallet", "send", "--key", filepath.Join(d.files, "account-0.json"), "--to-owner", to.Owner.Element().String(), "--to-l1", to.L1.String(),
		"--amount", "5", "--api", d.url, "--chain-id", fmt.Sprint(status.ChainID), "--rollup", status.Rollup.String())
	d.sent++
	testcmd.Await(d.t, "the transfer is final, by the blocks that follow", func() bool {
		status, err := d.client.Status(d.t.Context())
		require.NoError(d.t, err)
		require.Zero(d.t, status.Transactions.Rejected)
		return status.Transactions.Final == int64(d.sent)
	})
}

// TestUp runs everything on the private Postgres and the development chain, and again on
// what they left in the data folder: once stopped as asked, once killed.
func TestUp(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"SETTLE_L1_PERIOD": "20ms", "SETTLE_DATA_DIR": filepath.Join(testcmd.NewDir(t), "a b")}
	for name, value := range userSettings {
		settings[name] = value
	}
	d := newDev(t, settings)
	up := d.up()
	d.pay()
	shown := string(testcmd.Settle(t, d.env, "status"))
	require.Contains(t, shown, "(equal)", "it finds database and chain of the data folder")
	require.Contains(t, testcmd.Refuse(t, d.env, "up"), "another settle-dev runs on the data folder")
	require.NotContains(t, up.Stderr(), "nothing reads")
	up.Stop()
	for _, note := range []string{"postgres.url", "chain.url", "chain.key"} {
		require.NoFileExists(t, filepath.Join(settings["SETTLE_DATA_DIR"], note))
	}

	up = d.up()
	d.pay()
	require.Contains(t, string(testcmd.Settle(t, d.env, "db", "migrate")), "up to date", "beside the one that runs Postgres")
	killed := time.Now()
	up.Kill()
	require.Less(t, time.Since(killed), 10*time.Second, "all that it started ends with it")

	up = d.up()
	d.pay()
	up.Stop()
}

// TestUpEndsAsSettleDoes: what settle refuses ends both, with its own words and exit code.
func TestUpEndsAsSettleDoes(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	p := testcmd.Launch(t, env, "up", "--workers", "0")
	p.Wait()
	require.Equal(t, 1, p.Cmd.ProcessState.ExitCode(), p.Stderr())
	require.Contains(t, p.Stderr(), "settle: --workers 0")
	require.NotContains(t, p.Stderr(), "settle-dev: ")
	p = testcmd.Launch(t, append(env, "SETTLE_BINARY=/absent/settle"), "up")
	p.Wait()
	require.Equal(t, 1, p.Cmd.ProcessState.ExitCode())
	require.Contains(t, p.Stderr(), "/absent/settle")
}

// TestChain: the chain alone says how to reach it, and what else needs it finds it.
func TestChain(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	p := testcmd.Launch(t, env, "chain")
	url := p.Await(`msg="started the development chain" url=(http://\S+)`)[1]
	p.Stop()
	require.Contains(t, p.Stdout.String(), node.EnvL1+"="+url)
	require.Contains(t, p.Stdout.String(), node.EnvL1Key+"=")
}

// TestNoPostgres: without DATABASE_URL and without binaries, whatever the machine has installed.
func TestNoPostgres(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, map[string]string{postgres.EnvSource: "bundled", postgres.EnvTools: testcmd.NewDir(t)})
	said := testcmd.Refuse(t, env, "up")
	for _, remedy := range []string{postgres.ErrNoBinaries.Error(), "apt-get install postgresql", "make tools"} {
		require.Contains(t, said, remedy)
	}
}

// TestDemoRefuses what it cannot run, before it starts anything.
func TestDemoRefuses(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	said := testcmd.Refuse(t, env, "demo", "--shape", "huge")
	for _, name := range []string{"huge", "tiny", "demo", "large"} {
		require.Contains(t, said, name)
	}
	require.Contains(t, testcmd.Refuse(t, env, "demo", "--transfers", "1"), "--transfers 1")
	require.Contains(t, testcmd.Refuse(t, env, "demo", "--shape", "tiny"), "too small for the 1024 accounts")
	p := testcmd.Launch(t, env, "--log-format", "json", "demo", "--transfers", "1")
	p.Wait()
	require.Len(t, p.JSONLog(), 1)
}
