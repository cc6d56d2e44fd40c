package main

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
)

const unreachable = "127.0.0.1:1" // nobody listens on it

// refusal is a start that fails and says why and what to do.
type refusal struct {
	args []string
	env  []string // changes, name and value in turn
	says []string
}

func (r *rig) requireStartupErrors(cases map[string]refusal) {
	r.t.Helper()
	for name, c := range cases {
		said := testcmd.Refuse(r.t, r.env(c.env...), c.args...)
		for _, want := range c.says {
			require.Contains(r.t, said, want, name)
		}
		require.NotContains(r.t, said, "goroutine ", name)
	}
}

// TestStartupErrors: what is wrong is said before anything is done, with the remedy.
func TestStartupErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address := taken.Addr().String()

	other, err := devchain.Start(t.Context(), devchain.Config{ChainID: 4242})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	empty, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, empty.Close()) }()

	otherKeys, noKeys := filepath.Join(testcmd.NewDir(t), "keys"), testcmd.NewDir(t)
	require.NoError(t, testcmd.SetupTiny(otherKeys))

	r.requireStartupErrors(map[string]refusal{
		"port of the API": {[]string{"api", "--listen", address}, nil, []string{address, "another process uses that port", "port 0 picks a free one"}},
		"port of up":      {[]string{"up", "--listen", address}, nil, []string{address, "another process uses that port"}},
		"ops port of the API": {[]string{"api", "--listen", "127.0.0.1:0", "--ops-listen", address}, nil,
			[]string{"--ops-listen", address, "another process uses that port"}},
		"ops port of up": {[]string{"up", "--listen", "127.0.0.1:0", "--ops-listen", address}, nil,
			[]string{"--ops-listen", address, "another process uses that port"}},
		"ops port of a worker": {[]string{"worker", "--ops-listen", address}, nil,
			[]string{"--ops-listen", address, "another process uses that port"}},
		"bad address": {[]string{"api", "--listen", "nonsense"}, nil, []string{"nonsense", "expected host:port"}},
		"no database": {[]string{"sequencer"}, []string{node.EnvDatabase, ""}, []string{node.EnvDatabase, "settle-dev up"}},
		"no node":     {[]string{"submitter"}, []string{node.EnvL1, ""}, []string{node.EnvL1, "settle-dev up"}},

		"chain id of deploy":    {[]string{"deploy", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5"}},
		"chain id of submitter": {[]string{"submitter", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5"}},
		"chain id of up":        {[]string{"up", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5", node.EnvL1}},
		"node of another chain": {[]string{"submitter"}, []string{node.EnvL1, other.URL()}, []string{"wrong chain", "4242", "expected 31337", node.EnvL1}},
		"chain without rollup":  {[]string{"submitter"}, []string{node.EnvL1, empty.URL()}, []string{"no rollup contract", common.Address(r.deployment.Rollup).Hex(), node.EnvL1}},
		"second deployment":     {[]string{"deploy", "--genesis", r.genesisFile()}, nil, []string{r.deployment.Rollup.String(), "another database"}},

		"other keys":            {[]string{"worker", "--keys-dir", otherKeys}, nil, []string{otherKeys, "the deployed verifier has", "copy the keys of the deployment"}},
		"other keys of up":      {[]string{"up", "--keys-dir", otherKeys}, nil, []string{otherKeys, "the deployed verifier has"}},
		"no keys":               {[]string{"worker", "--keys-dir", noKeys}, nil, []string{noKeys, "settle keys setup --shape tiny"}},
		"development keys":      {[]string{"worker"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev", "forge"}},
		"development keys, up":  {[]string{"up"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev", "forge"}},
		"setup without consent": {[]string{"keys", "setup", "--shape", "tiny"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev"}},
		"unknown shape":         {[]string{"keys", "show", "--shape", "huge"}, nil, []string{"huge", "tiny"}},

		"database away": {[]string{"db", "migrate"}, []string{node.EnvDatabase, "postgres://u:hush-hush@" + unreachable + "/d?sslmode=disable"},
			[]string{"connection refused", node.EnvDatabase}},
		"database URL":     {[]string{"api"}, []string{node.EnvDatabase, "postgres://u:hush-hush@host:port/d"}, []string{node.EnvDatabase, "is not a Postgres URL"}},
		"node away":        {[]string{"deploy"}, []string{node.EnvL1, "http://me:hush-hush@" + unreachable}, []string{node.EnvL1, "connection refused"}},
		"scheme of a node": {[]string{"submitter"}, []string{node.EnvL1, "htp://" + unreachable}, []string{node.EnvL1, "scheme"}},
		"bad key":          {[]string{"submitter"}, []string{node.EnvL1Key, "hush-hush"}, []string{node.EnvL1Key, "64 hexadecimal digits"}},
		"short key":        {[]string{"deploy"}, []string{node.EnvL1Key, "0xc0ffee"}, []string{node.EnvL1Key, "64 hexadecimal digits"}},
		"no key":           {[]string{"submitter"}, []string{node.EnvL1Key, ""}, []string{node.EnvL1Key, "64 hexadecimal digits"}},
		"bad fee":          {[]string{"submitter", "--max-fee", "much"}, nil, []string{"--max-fee", "much"}},
		"no workers":       {[]string{"up", "--workers", "0"}, nil, []string{"--workers"}},
		"no aggregate":     {[]string{"aggregator"}, nil, []string{"no verifier of an aggregate circuit", "--aggregate"}},
	})
}

// TestStartsAhead: a role that is started before Postgres or L1 says what it waits for,
// once, and keeps what is secret.
func TestStartsAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]refusal{
		"database away": {[]string{"api"}, []string{node.EnvDatabase, "postgres://u:hush-hush@" + unreachable + "/d?sslmode=disable"}, []string{node.EnvDatabase}},
		"node away":     {[]string{"submitter"}, []string{node.EnvL1, "http://me:hush-hush@" + unreachable}, []string{node.EnvL1}},
		"node away, up": {[]string{"up"}, []string{node.EnvL1, "http://" + unreachable + "/hush-hush"}, []string{node.EnvL1}},
	} {
		p := testcmd.Launch(t, r.env(c.env...), c.args...)
		line := p.Await("the start waits for what does not answer.*connection refused.*")[0]
		for _, want := range c.says {
			require.Contains(t, line, want, name)
		}
		require.NotContains(t, p.Stderr(), "hush-hush", name)
		p.Stop()
	}
}

// TestSecretsAreNotSaid: of a URL or key that is refused, nothing secret is repeated.
func TestSecretsAreNotSaid(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	for _, secret := range []string{"hush-hush", "c0ffee", operatorKey(t)[:60]} {
		for _, c := range [][]string{
			{node.EnvDatabase, "postgres://u:" + secret + "@" + unreachable + "/d?sslmode=disable"},
			{node.EnvDatabase, "postgres://u:" + secret + "@host:port/d"},
			{node.EnvDatabase, "host=127.0.0.1 port=1 user=u password=" + secret},
			{node.EnvDatabase, "postgres://u@" + unreachable + "/d?sslmode=disable&password=" + secret},
			{node.EnvL1, "http://me:" + secret + "@" + unreachable},
			{node.EnvL1, "http://" + unreachable + "/v3/" + secret},
			{node.EnvL1, "htp://" + secret},
			{node.EnvL1Key, secret},
		} {
			require.NotContains(t, testcmd.Refuse(t, r.env(c...), "deploy", "--genesis", r.genesisFile()), secret, c[0])
		}
	}
}

// TestNoRollup: a database that nothing is deployed for.
func TestNoRollup(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	cases := map[string]refusal{}
	for _, role := range []string{"api", "sequencer", "worker", "aggregator", "submitter"} {
		cases[role] = refusal{[]string{role}, nil, []string{"the database has no rollup", "settle deploy"}}
	}
	cases["up"] = refusal{[]string{"up"}, nil, []string{"the database has no rollup", "--genesis"}}
	cases["deploy"] = refusal{[]string{"deploy"}, nil, []string{"--genesis", "settle wallet genesis"}}
	cases["no file"] = refusal{[]string{"deploy", "--genesis", "absent.json"}, nil, []string{"absent.json"}}
	cases["development keys"] = refusal{[]string{"deploy", "--genesis", r.genesisFile()}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev"}}
	r.requireStartupErrors(cases)
}

// TestSecondWriters: the second sequencer and submitter of a database do not start,
// and leave the first ones alone.
func TestSecondWriters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sequencer, submitter := r.role("sequencer"), r.role("submitter")
	r.serve("api")
	r.role("worker")
	r.submit(2)
	r.awaitSettled()                         // so both have their role
	second := map[*testcmd.Process][]string{ // together: each waits a moment for its role
		testcmd.Launch(t, r.env(), "sequencer"): {"another sequencer", sequencer.Holder(t)},
		testcmd.Launch(t, r.env(), "submitter"): {"another submitter", submitter.Holder(t)},
		testcmd.Launch(t, r.env(), "up"):        {"another s", "process "},
	}
	for p, says := range second {
		p.Wait()
		require.Equal(t, 1, p.Cmd.ProcessState.ExitCode(), p.Stderr())
		for _, want := range append(says, "settle: ", "stop that one first") {
			require.Contains(t, p.Stderr(), want)
		}
	}
	r.submit(2)
	r.awaitSettled()
}

// TestMigrateTwice also from several processes at once.
func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	db := testdb.Empty(t)
	env := testcmd.Environment(t, map[string]string{node.EnvDatabase: db.URL})
	var together []*testcmd.Process
	for range 3 {
		together = append(together, testcmd.Launch(t, env, "db", "migrate"))
	}
	for _, p := range together {
		p.Wait()
		require.Zero(t, p.Cmd.ProcessState.ExitCode(), p.Stderr())
		require.Equal(t, "the schema is up to date\n", p.Stdout.String())
	}
	require.Equal(t, "the schema is up to date\n", string(testcmd.Succeed(t, env, "db", "migrate")))
	var tables int
	require.NoError(t, db.Pool.QueryRow(context.Background(),
		"select count(*) from pg_tables where schemaname = current_schema() and tablename in ('batches', 'proof_jobs')").Scan(&tables))
	require.Equal(t, 2, tables)
	_, err := db.Pool.Exec(context.Background(), "update settle_schema_version set version = 1000")
	require.NoError(t, err)
	require.Contains(t, testcmd.Refuse(t, env, "db", "migrate"), "newer")
}
