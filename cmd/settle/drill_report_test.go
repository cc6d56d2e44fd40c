package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// drillResult is one run.
type drillResult struct {
	Seed         uint64      `json:"seed"`
	Passed       bool        `json:"passed"`
	Transfers    int         `json:"transfers"`
	Transactions int         `json:"transactions"` // with opens and exits
	SetupSeconds float64     `json:"setup_seconds"`
	Seconds      float64     `json:"seconds"` // from the first submission until all was settled
	Kills        int         `json:"kills"`
	Pauses       int         `json:"pauses"`
	Takeovers    int         `json:"takeovers"`     // leases that ended by silence of their worker
	LateProofs   int         `json:"late_proofs"`   // kept from workers that had lost their lease
	FailedStarts int         `json:"failed_starts"` // of roles while Postgres or the node was away
	Folds        int         `json:"folds"`         // proofs of groups
	GivenUp      int         `json:"given_up"`      // groups whose batches settled each by its own proof
	StopSeconds  float64     `json:"stop_seconds"`  // the longest time without a settlement, though something was proven and nothing out of reach
	Overtaken    int         `json:"overtaken"`     // most later batches that were proven before an earlier one
	PutBack      int         `json:"put_back"`      // batches that came back into the queue after a failure or the death of a worker
	Behind       int         `json:"behind"`        // most proofs of later batches that were begun before one of those
	Faults       []faultNote `json:"faults"`
	Findings     []string    `json:"findings,omitempty"`
	Audit        *drillAudit `json:"audit,omitempty"`
}

// drillReport is all runs of one command, written after each.
type drillReport struct {
	Command string        `json:"command"`
	Begun   time.Time     `json:"begun"`
	CPUs    int           `json:"cpus"`
	Runs    []drillResult `json:"runs"`
}

func (r *drillReport) add(t *testing.T, result drillResult) {
	t.Helper()
	r.CPUs = runtime.NumCPU()
	r.Runs = append(r.Runs, result)
	t.Logf("%s", strings.TrimSpace(r.line(result)))
	if *drillOut == "" {
		return
	}
	encoded, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.MkdirAll(*drillOut, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*drillOut, "report.json"), append(encoded, '\n'), 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*drillOut, "report.md"), []byte(r.markdown()), 0o644)
	}
	if err != nil {
		t.Errorf("write the report: %v", err)
	}
}

func (r *drillReport) markdown() string {
	var b strings.Builder
	passed, transfers, transactions, lost, doubled := 0, 0, 0, 0, 0
	faults, late, takeovers, pauses, kills := 0, 0, 0, 0, 0
	var seconds []float64
	var stop float64
	for _, run := range r.Runs {
		if run.Passed {
			passed++
			seconds = append(seconds, run.Seconds)
		}
		if run.Audit != nil {
			transfers, transactions = transfers+run.Transfers, transactions+run.Audit.OnL1
			lost, doubled = lost+run.Audit.Lost, doubled+run.Audit.Doubled
		}
		faults += len(run.Faults)
		stop = max(stop, run.StopSeconds)
		late, takeovers, pauses, kills = late+run.LateProofs, takeovers+run.Takeovers, pauses+run.Pauses, kills+run.Kills
	}
	fmt.Fprintf(&b, "# Fault drill\n\n`go test ./cmd/settle -run 'TestDrill$' %s`\n\n", r.Command)
	fmt.Fprintf(&b, "Begun %s; %d processors. %d runs, %d passed. %d transfers; %d transactions on L1; **%d lost, %d doubled.**\n",
		r.Begun.Format("2006-01-02 15:04 MST"), r.CPUs, len(r.Runs), passed, transfers, transactions, lost, doubled)
	fmt.Fprintf(&b, "%d kills, %d pauses of a worker, %d leases lost by silence, %d late proofs kept. Longest stop of settling with nothing out of reach: %.1f s.", kills, pauses, takeovers, late, stop)
	if len(seconds) > 0 {
		slices.Sort(seconds)
		fmt.Fprintf(&b, " Seconds per run: %.0f median, %.0f to %.0f.", seconds[len(seconds)/2], seconds[0], seconds[len(seconds)-1])
	}
	b.WriteString("\n\n| seed | passed | on L1 | batches | lost | doubled | roots agree | kills | pauses | takeovers | late | failed starts | folded batches | groups given up | longest stop | overtaken | put back | behind | seconds |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, run := range r.Runs {
		b.WriteString(r.line(run))
	}
	for _, run := range r.Runs {
		if run.Passed {
			continue
		}
		fmt.Fprintf(&b, "\n## Seed %d failed\n\nLogs of all roles lie in `failed-%d`. %s\n\n", run.Seed, run.Seed, strings.Join(run.Findings, "; "))
		for _, f := range run.Faults {
			fmt.Fprintf(&b, "- %.1f s, %d proven: %s\n", f.AtSeconds, f.Proven, f.Fault)
		}
	}
	return b.String()
}

// line is a run as a row of the table.
func (r *drillReport) line(run drillResult) string {
	a := drillAudit{}
	agree := "unknown"
	if run.Audit != nil {
		a = *run.Audit
		agree = "no"
		if a.RootL1 == a.RootReplay && a.RootL1 == a.RootDatabase && a.RootL1 == a.RootAPI {
			agree = "yes"
		}
	}
	passed := "**no**"
	if run.Passed {
		passed = "yes"
	}
	return fmt.Sprintf("| %d | %s | %d of %d | %d | %d | %d | %s | %d | %d | %d | %d | %d | %d | %d | %.1f | %d | %d | %d | %.0f |\n", run.Seed, passed, a.OnL1, run.Transactions,
		a.Batches, a.Lost, a.Doubled, agree, run.Kills, run.Pauses, run.Takeovers, run.LateProofs, run.FailedStarts, a.Folded, run.GivenUp, run.StopSeconds, run.Overtaken, run.PutBack, run.Behind, run.Seconds)
}
