package main

import (
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/internal/testcmd"
)

// scrape reads /metrics of a role.
func (r *rig) scrape(url string) string {
	r.t.Helper()
	status, text := r.get(url + "/metrics")
	require.Equal(r.t, http.StatusOK, status)
	return text
}

func (r *rig) get(url string) (status int, text string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(r.t, err)
	reply, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer reply.Body.Close()
	all, err := io.ReadAll(reply.Body)
	require.NoError(r.t, err)
	return reply.StatusCode, string(all)
}

// pipelineLines says which fields the lines of a batch's way have beside role.
var pipelineLines = map[string][]string{
	"batch sealed":   {"batch", "shape", "reason", "transactions", "build_seconds", "commit_seconds"},
	"proof begun":    {"batch", "job", "attempt", "epoch", "shape"},
	"proof stored":   {"batch", "job", "attempt", "epoch", "shape", "assign_seconds", "solve_seconds", "prove_seconds", "verify_seconds", "peak_bytes"},
	"proof not made": {"batch", "job", "attempt", "epoch", "shape", "class", "error"},
	"settlement":     {"batch", "action"},
}

// TestLogsAndMetrics runs each role as a process with a JSON log and its metrics.
func TestLogsAndMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.settings["SETTLE_LOG_FORMAT"] = "json"
	at := map[string]string{}
	roles := map[string]*testcmd.Process{}
	for _, role := range []string{"sequencer", "worker", "submitter"} {
		roles[role] = r.role(role, "--ops-listen", "127.0.0.1:0")
		at[role] = roles[role].Await(`"msg":"metrics and health are served".*"url":"(http://[^"]+)/metrics"`)[1]
	}
	roles["api"] = r.role("api", "--ops-listen", "127.0.0.1:0")
	at["api"] = roles["api"].Await(`"msg":"metrics and health are served".*"url":"(http://[^"]+)/metrics"`)[1]
	r.url = roles["api"].Await(`"msg":"the API is up","url":"(http://[^"]+)"`)[1]
	var err error
	r.client, err = client.New(r.url, client.WithRetries())
	require.NoError(t, err)
	for range 3 {
		r.submit(2)
		r.awaitSettled()
	}
	batches := int(r.status().Settled.Batch)

	metrics := map[string]samples{}
	for role, url := range at {
		metrics[role] = parseSamples(t, r.scrape(url))
		metrics[role].requireBounded(t, role)
	}
	count := func(role, series string) {
		t.Helper()
		require.Equal(t, batches, int(metrics[role][series]), "%s of the %s", series, role)
	}
	for _, step := range []string{"keys", "assign", "solve", "prove", "verify"} {
		count("worker", `settle_prove_seconds_count{shape="tiny",step="`+step+`"}`)
	}
	count("worker", `settle_prove_queue_seconds_count{shape="tiny"}`)
	count("worker", `settle_proofs_total{outcome="stored"}`)
	count("sequencer", `settle_seal_seconds_count{step="commit"}`)
	count("sequencer", `settle_execution_wait_seconds_count`)
	count("submitter", `settle_settlement_seconds_count{step="wait"}`)
	count("submitter", `settle_settlement_seconds_count{step="mine"}`)
	count("submitter", `settle_settlements_total{outcome="mined"}`)
	require.Contains(t, metrics["api"], "settle_oldest_unproven_batch_age_seconds")
	require.Equal(t, 1, int(metrics["submitter"]["settle_l1_up"]))
	require.Positive(t, metrics["submitter"]["settle_operator_balance_wei"])
	require.Positive(t, metrics["submitter"]["settle_l1_base_fee_wei"])
	requireAlertsSeeSomething(t, metrics)

	for _, p := range roles {
		r.stopped(p, nil)
	}
	seen := map[string]int{}
	total := 0
	for role, p := range roles {
		for _, line := range p.JSONLog() {
			total++
			require.Contains(t, []any{"INFO", "DEBUG"}, line["level"], "nothing is wrong in a calm run: %v", line)
			fields, known := pipelineLines[line.Message()]
			if !known {
				require.NotContains(t, line, "batch_id")
				continue
			}
			seen[line.Message()]++
			for _, field := range append(fields, "role") {
				require.Contains(t, line, field, "%v", line)
			}
			require.Equal(t, role, line["role"])
		}
	}
	require.Equal(t, map[string]int{"batch sealed": batches, "proof begun": batches, "proof stored": batches, "settlement": 2 * batches}, seen)
	require.LessOrEqual(t, total, 5*batches+16, "what an operator needs, and not more")
}

// requireAlertsSeeSomething finds what each alert looks at, with its labels, in what
// the roles of a calm run show: an alert on a series that is absent until something
// goes wrong does not see the first time. No aggregator runs here.
func requireAlertsSeeSomething(t *testing.T, shown map[string]samples) {
	t.Helper()
	rules, err := os.ReadFile("../../deploy/alerts.yml")
	require.NoError(t, err)
	selectors := regexp.MustCompile(`(settle_[a-z0-9_]+)(?:\{(\w+)=~?"([^"]*)"\})?`).FindAllStringSubmatch(string(rules), -1)
	require.NotEmpty(t, selectors)
	for _, s := range selectors {
		for value := range strings.SplitSeq(s[3], "|") {
			if value == "aggregator" {
				continue
			}
			found := false
			for _, role := range shown {
				for series := range role {
					name, labels, _ := strings.Cut(series, "{")
					found = found || name == s[1] && (value == "" || strings.Contains(labels, s[2]+`="`+value+`"`))
				}
			}
			require.True(t, found, "no role shows %s", s[0])
		}
	}
}

// TestLogOfAFailedProof: its lines name batch and job too.
func TestLogOfAFailedProof(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.role("sequencer")
	r.serve("api")
	r.submit(2)
	r.sealedAfter(0)
	_, err := r.pool.Exec(t.Context(), `begin;
		alter table witness_inputs disable trigger user;
		update witness_inputs set data = set_byte(data, 40, get_byte(data, 40) # 255) where batch = 1;
		alter table witness_inputs enable trigger user;
		commit`)
	require.NoError(t, err)
	r.settings["SETTLE_LOG_FORMAT"] = "json"
	worker := r.role("worker")
	worker.Await(`"msg":"proof not made"`)
	r.stopped(worker, nil)
	failed := 0
	for _, line := range worker.JSONLog() {
		if line.Message() != "proof not made" {
			continue
		}
		failed++
		for _, field := range append(pipelineLines["proof not made"], "role") {
			require.Contains(t, line, field)
		}
		require.EqualValues(t, 1, line["batch"])
		require.EqualValues(t, 1, line["job"])
		require.Equal(t, "bug", line["class"])
	}
	require.Positive(t, failed)
}

// samples are the values of a scrape by series.
type samples map[string]float64

func parseSamples(t *testing.T, text string) samples {
	t.Helper()
	all := samples{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		series, value, found := strings.Cut(strings.TrimSpace(line), " ")
		if i := strings.LastIndex(line, "} "); i >= 0 { // a label may hold spaces
			series, value, found = line[:i+1], strings.TrimSpace(line[i+2:]), true
		}
		require.True(t, found, line)
		number, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err, line)
		all[series] = number
	}
	return all
}

// labelValues are all that a label of ours may say, whatever users and failures do.
var labelValues = map[string]*regexp.Regexp{
	"shape":   regexp.MustCompile(`^(tiny|demo|small|medium|large)$`),
	"step":    regexp.MustCompile(`^(keys|assign|solve|prove|verify|build|commit|wait|mine)$`),
	"outcome": regexp.MustCompile(`^(stored|late|duplicate|prepared|mined|failed|reorged|accepted|existing|[a-z_]+)$`),
	"class":   regexp.MustCompile(`^(witness|resource|infrastructure|bug)$`),
	"reason":  regexp.MustCompile(`^(full|aged|idle|flushed)$`),
	"bound":   regexp.MustCompile(`^(all|client)$`),
	"for":     regexp.MustCompile(`^(nonce|later)$`),
	"code":    regexp.MustCompile(`^[a-z_]+$`),
	"stage":   regexp.MustCompile(`^(accepted|unproven|unsettled)$`),
	"role":    regexp.MustCompile(`^(sequencer|submitter|aggregator|worker|reaper)$`),
	"state":   regexp.MustCompile(`^(waiting|running|discarded)$`),
	"status":  regexp.MustCompile(`^([1-5]\d\d|sealed|proven|settling|settled|final)$`),
	"route":   regexp.MustCompile(`^(none|(GET|POST) /[a-z0-9/._{}-]*)$`),
	"le":      regexp.MustCompile(`^(\+Inf|[0-9.e+-]+)$`),
}

var label = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)

// requireBounded: few series, labels from fixed sets, histograms in seconds (or gas)
// that reach past what they measure.
func (s samples) requireBounded(t *testing.T, role string) {
	t.Helper()
	series, buckets := 0, map[string][]float64{}
	for name := range s {
		if !strings.HasPrefix(name, "settle_") {
			continue
		}
		series++
		metric, _, _ := strings.Cut(name, "{")
		for _, found := range label.FindAllStringSubmatch(name, -1) {
			allowed, known := labelValues[found[1]]
			require.True(t, known, "%s of the %s: label %s", metric, role, found[1])
			require.Regexp(t, allowed, found[2], "%s of the %s: label %s", metric, role, found[1])
			if bound, err := strconv.ParseFloat(found[2], 64); found[1] == "le" && err == nil && found[2] != "+Inf" {
				buckets[metric] = append(buckets[metric], bound)
			}
		}
	}
	require.Positive(t, series, role)
	require.Less(t, series, 600, role)
	for metric, bounds := range buckets {
		require.Regexp(t, `_(seconds|gas|bytes)_bucket$`, metric)
		slices.Sort(bounds)
		bounds = slices.Compact(bounds)
		require.LessOrEqual(t, len(bounds), 20, metric)
		if slices.Contains([]string{"settle_prove_seconds_bucket", "settle_prove_queue_seconds_bucket", "settle_settlement_seconds_bucket"}, metric) {
			require.GreaterOrEqual(t, bounds[len(bounds)-1], 600.0, "%s: a stage may take minutes", metric)
		}
	}
	t.Logf("%s: %d series, histograms %v", role, series, slices.Sorted(maps.Keys(buckets)))
}
