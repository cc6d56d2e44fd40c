package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/internal/testdb"
	"github.com/zksettle/settle/l1/devchain"
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
		said := refuse(r.t, r.env(c.env...), c.args...)
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
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	other, err := devchain.Start(t.Context(), devchain.Config{ChainID: 4242})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	empty, err := devchain.Start(t.Context(), devchain.Config{})
	require.NoError(t, err)
	defer func() { require.NoError(t, empty.Close()) }()

	otherKeys, noKeys := filepath.Join(newDir(t), "keys"), newDir(t)
	require.NoError(t, setupTiny(otherKeys))

	r.requireStartupErrors(map[string]refusal{
		"port of the API": {[]string{"api", "--listen", address}, nil, []string{address, "another process uses that port", "port 0 picks a free one"}},
		"port of up":      {[]string{"up", "--listen", address}, nil, []string{address, "another process uses that port"}},
		"ops port of the API": {[]string{"api", "--listen", "127.0.0.1:0", "--ops-listen", address}, nil,
			[]string{"--ops-listen", address, "another process uses that port"}},
		"ops port of up": {[]string{"up", "--listen", "127.0.0.1:0", "--ops-listen", address}, nil,
			[]string{"--ops-listen", address, "another process uses that port"}},
		"metrics of a worker": {[]string{"worker", "--metrics", address}, nil,
			[]string{"metrics", address, "another process uses that port"}},
		"bad address":       {[]string{"api", "--listen", "nonsense"}, nil, []string{"nonsense", "expected host:port"}},
		"port of the chain": {[]string{"up", "--l1-port", port}, []string{envL1, ""}, []string{port, "--l1-port", envL1}},
		"port of another chain": {[]string{"submitter", "--l1-port", portText(t, other.URL())}, []string{envL1, ""},
			[]string{portText(t, other.URL()), "--l1-port"}},

		"chain id of deploy":    {[]string{"deploy", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5"}},
		"chain id of submitter": {[]string{"submitter", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5"}},
		"chain id of up":        {[]string{"up", "--chain-id", "5"}, nil, []string{"wrong chain", "31337", "expected 5", envL1}},
		"node of another chain": {[]string{"submitter"}, []string{envL1, other.URL()}, []string{"wrong chain", "4242", "expected 31337", envL1}},
		"chain without rollup":  {[]string{"submitter"}, []string{envL1, empty.URL()}, []string{"no rollup contract", common.Address(r.deployment.Rollup).Hex(), envL1}},
		"second deployment":     {[]string{"deploy", "--genesis", r.genesisFile()}, nil, []string{r.deployment.Rollup.String(), "another database"}},

		"other keys":            {[]string{"worker", "--keys-dir", otherKeys}, nil, []string{otherKeys, "the deployed verifier has", "copy the keys of the deployment"}},
		"other keys of up":      {[]string{"up", "--keys-dir", otherKeys}, nil, []string{otherKeys, "the deployed verifier has"}},
		"no keys":               {[]string{"worker", "--keys-dir", noKeys}, nil, []string{noKeys, "settle keys setup --shape tiny"}},
		"development keys":      {[]string{"worker"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev", "forge"}},
		"development keys, up":  {[]string{"up"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev", "forge"}},
		"setup without consent": {[]string{"keys", "setup", "--shape", "tiny"}, []string{"SETTLE_UNSAFE_DEV", "false"}, []string{"--unsafe-dev"}},
		"unknown shape":         {[]string{"keys", "show", "--shape", "huge"}, nil, []string{"huge", "tiny"}},

		"database away": {[]string{"db", "migrate"}, []string{envDatabase, "postgres://u:hush-hush@" + unreachable + "/d?sslmode=disable"},
			[]string{"connection refused", envDatabase}},
		"database URL":     {[]string{"api"}, []string{envDatabase, "postgres://u:hush-hush@host:port/d"}, []string{envDatabase, "is not a Postgres URL"}},
		"node away":        {[]string{"deploy"}, []string{envL1, "http://me:hush-hush@" + unreachable}, []string{envL1, "connection refused"}},
		"scheme of a node": {[]string{"submitter"}, []string{envL1, "htp://" + unreachable}, []string{envL1, "scheme"}},
		"bad key":          {[]string{"submitter"}, []string{envL1Key, "hush-hush"}, []string{envL1Key, "64 hexadecimal digits"}},
		"short key":        {[]string{"deploy"}, []string{envL1Key, "0xc0ffee"}, []string{envL1Key, "64 hexadecimal digits"}},
		"no key":           {[]string{"submitter"}, []string{envL1Key, ""}, []string{envL1Key, "64 hexadecimal digits"}},
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
		"database away": {[]string{"api"}, []string{envDatabase, "postgres://u:hush-hush@" + unreachable + "/d?sslmode=disable"}, []string{envDatabase}},
		"node away":     {[]string{"submitter"}, []string{envL1, "http://me:hush-hush@" + unreachable}, []string{envL1}},
		"node away, up": {[]string{"up"}, []string{envL1, "http://" + unreachable + "/hush-hush"}, []string{envL1}},
	} {
		p := launch(t, r.env(c.env...), c.args...)
		line := p.await("the start waits for what does not answer.*connection refused.*")[0]
		for _, want := range c.says {
			require.Contains(t, line, want, name)
		}
		require.NotContains(t, p.stderr(), "hush-hush", name)
		p.stop()
	}
}

func portText(t *testing.T, url string) string {
	t.Helper()
	return url[strings.LastIndexByte(url, ':')+1:]
}

// TestSecretsAreNotSaid: of a URL or key that is refused, nothing secret is repeated.
func TestSecretsAreNotSaid(t *testing.T) {
	t.Parallel()
	r := bareRig(t)
	for _, secret := range []string{"hush-hush", "c0ffee", operatorKey(t)[:60]} {
		for _, c := range [][]string{
			{envDatabase, "postgres://u:" + secret + "@" + unreachable + "/d?sslmode=disable"},
			{envDatabase, "postgres://u:" + secret + "@host:port/d"},
			{envDatabase, "host=127.0.0.1 port=1 user=u password=" + secret},
			{envDatabase, "postgres://u@" + unreachable + "/d?sslmode=disable&password=" + secret},
			{envL1, "http://me:" + secret + "@" + unreachable},
			{envL1, "http://" + unreachable + "/v3/" + secret},
			{envL1, "htp://" + secret},
			{envL1Key, secret},
		} {
			require.NotContains(t, refuse(t, r.env(c...), "deploy", "--genesis", r.genesisFile()), secret, c[0])
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
	r.awaitSettled()                 // so both have their role
	second := map[*process][]string{ // together: each waits a moment for its role
		launch(t, r.env(), "sequencer"): {"another sequencer", sequencer.holder(t)},
		launch(t, r.env(), "submitter"): {"another submitter", submitter.holder(t)},
		launch(t, r.env(), "up"):        {"another s", "process "},
	}
	for p, says := range second {
		p.wait()
		require.Equal(t, 1, p.cmd.ProcessState.ExitCode(), p.stderr())
		for _, want := range append(says, "settle: ", "stop that one first") {
			require.Contains(t, p.stderr(), want)
		}
	}
	r.submit(2)
	r.awaitSettled()
}

// TestNoPostgres: without DATABASE_URL and without binaries, whatever the machine has installed.
func TestNoPostgres(t *testing.T) {
	t.Parallel()
	env := environment(t, map[string]string{postgres.EnvSource: "bundled", postgres.EnvTools: newDir(t)})
	said := refuse(t, env, "db", "migrate")
	for _, remedy := range []string{postgres.ErrNoBinaries.Error(), "apt-get install postgresql", "make tools", envDatabase} {
		require.Contains(t, said, remedy)
	}
}

// TestMigrateTwice also from several processes at once.
func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	db := testdb.Empty(t)
	env := environment(t, map[string]string{envDatabase: db.URL})
	var together []*process
	for range 3 {
		together = append(together, launch(t, env, "db", "migrate"))
	}
	for _, p := range together {
		p.wait()
		require.Zero(t, p.cmd.ProcessState.ExitCode(), p.stderr())
		require.Equal(t, "the schema is up to date\n", p.stdout.String())
	}
	require.Equal(t, "the schema is up to date\n", string(succeed(t, env, "db", "migrate")))
	var tables int
	require.NoError(t, db.Pool.QueryRow(context.Background(),
		"select count(*) from pg_tables where schemaname = current_schema() and tablename in ('batches', 'proof_jobs')").Scan(&tables))
	require.Equal(t, 2, tables)
	_, err := db.Pool.Exec(context.Background(), "update settle_schema_version set version = 1000")
	require.NoError(t, err)
	require.Contains(t, refuse(t, env, "db", "migrate"), "newer")
	require.NoFileExists(t, filepath.Join(os.Getenv(envHome), "postgres.url"))
}
