package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/zksettle/settle/node"
)

const clearScreen = "\x1b[H\x1b[2J"

// show prints one look. A terminal that is watched is cleared first.
func (c statusCmd) show(a *app, p *pipeline) error {
	if c.JSON {
		encoder := json.NewEncoder(a.Stdout)
		if !c.Watch {
			encoder.SetIndent("", "  ")
		}
		return encoder.Encode(p)
	}
	var view strings.Builder
	if c.Watch && isTerminal(a.Stdout) {
		view.WriteString(clearScreen)
	}
	p.write(&view)
	if c.Watch {
		fmt.Fprintln(&view)
	}
	_, err := io.WriteString(a.Stdout, view.String())
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// write renders the view for people.
func (p *pipeline) write(out io.Writer) {
	fmt.Fprintf(out, "rollup %s on chain %d, %s\n", p.Rollup, p.ChainID, p.At.Format(time.RFC3339))
	if p.UnsafeDev {
		fmt.Fprintln(out, "UNSAFE: this rollup uses development keys, whose maker can forge proofs. It must not hold money.")
	}
	if s := p.StandsStill; s != nil {
		fmt.Fprintf(out, "SETTLEMENT STANDS STILL for %s: %s\n", seconds(s.AgeSeconds), s.Reason)
	}
	if w := p.SettlementWaits; w != nil {
		fmt.Fprintf(out, "SETTLEMENT WAITS FOR BATCH %d: %s; %d proven batches wait behind it (docs/runbook.md, a dead letter blocks settlement)\n",
			w.Batch, w.Reason, w.Behind)
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	t, b, j := p.Transactions, p.Batches, p.Jobs
	fmt.Fprintf(table, "transactions\taccepted %d\texecuted %d\tproven %d\tsettled %d\tfinal %d\trejected %d\n", t.Accepted, t.Executed, t.Proven, t.Settled, t.Final, t.Rejected)
	fmt.Fprintf(table, "batches\tsealed %d\tproven %d\tsettling %d\tsettled %d\tfinal %d\n", b.Sealed, b.Proven, b.Settling, b.Settled, b.Final)
	fmt.Fprintf(table, "proof jobs\twaiting %d\trunning %d\tdead letters %d\n", j.Waiting, j.Running, len(p.DeadLetters))
	_ = table.Flush() // into memory
	fmt.Fprintf(out, "backlog: %d transactions not executed, %d batches not proven, the oldest for %s\n", t.Accepted, b.Sealed, seconds(p.OldestUnproven))
	fmt.Fprintf(out, "\nexecuted      batch %d  root %s\n", p.Executed.Batch, p.Executed.Root)
	fmt.Fprintf(out, "settled here  batch %d  root %s  (final: batch %d)\n", p.Settled.Batch, p.Settled.Root, p.Final)
	p.writeL1(out)
	p.writeBatches(out)
	p.writeGroups(out)
	p.writeJobs(out)
	p.writeRefused(out)
}

func (p *pipeline) writeL1(out io.Writer) {
	switch {
	case p.L1 == nil:
		fmt.Fprintf(out, "settled on L1 not asked: set %s\n", node.EnvL1)
	case p.L1.Error != "":
		fmt.Fprintf(out, "settled on L1 UNKNOWN: %s\n", p.L1.Error)
	default:
		fmt.Fprintf(out, "settled on L1 batch %d  root %s  (%s)\n", p.L1.Batch, p.L1.Root, wordsOf(p.L1.Verdict))
	}
}

// wordsOf says a verdict, and what to do about it.
func wordsOf(v node.Verdict) string {
	switch v {
	case node.VerdictEqual:
		return "equal"
	case node.VerdictRecording:
		return "ahead of the database, which has the batch: the submitter will record it"
	case node.VerdictBehind:
		return "BEHIND the database: a reorg, which the submitter mends, or a chain that lost blocks"
	case node.VerdictOldCopy:
		return "NOT IN THE DATABASE, which is an old copy: stop all roles and restore a newer one"
	case node.VerdictDiverged:
		return "ANOTHER ROOT: stop all roles and find out which database is the rollup's"
	}
	return string(v)
}

func (p *pipeline) writeBatches(out io.Writer) {
	if len(p.LastBatches) == 0 {
		return
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "batch\tstatus\tshape\ttransactions\tsealed\troot")
	for _, b := range p.LastBatches {
		fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%s ago\t%s\n", b.Number, b.Status, b.Shape, b.Transactions, seconds(b.AgeSeconds), short(b.NewRoot.String()))
	}
	_ = table.Flush() // into memory
}

func (p *pipeline) writeGroups(out io.Writer) {
	if len(p.Groups) == 0 {
		return
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "batches\tfolding\tshape\tdecided\tbecause")
	for _, g := range p.Groups {
		fmt.Fprintf(table, "%d to %d\t%s\t%s\t%s ago\t%s\n", g.First, g.Last, g.Status, g.Shape, seconds(g.AgeSeconds), g.Reason)
	}
	_ = table.Flush() // into memory
}

func (p *pipeline) writeJobs(out io.Writer) {
	if len(p.Running) > 0 {
		fmt.Fprintln(out)
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "proving\tshape\tworker\tattempt\tfor")
		for _, j := range p.Running {
			worker := j.Worker
			if worker == "" {
				worker = "none holds the lease yet"
			}
			fmt.Fprintf(table, "batch %d, job %d\t%s\t%s\t%d\t%s\n", j.Batch, j.Job, j.Shape, worker, j.Attempt, seconds(j.AgeSeconds))
		}
		_ = table.Flush() // into memory
	}
	for i, j := range p.DeadLetters {
		if i == 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "DEAD LETTER: job %d, batch %d (%s), %d failed attempts, the last: %s: %s\n", j.Job, j.Batch, j.Shape, j.Failures, j.Class, j.Error)
	}
}

func (p *pipeline) writeRefused(out io.Writer) {
	for i, r := range p.RefusedProofs {
		if i == 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "PROOF SET ASIDE: %s proof of batch %d, by worker %s, on %s: %s\n", r.Circuit, r.Batch, r.Worker, r.RefusedAt.UTC().Format(time.RFC3339), firstLine(r.Reason))
	}
}

func seconds(s float64) string {
	return (time.Duration(s*1000) * time.Millisecond).Round(time.Second).String()
}

func short(hex string) string {
	if len(hex) > 18 {
		return hex[:18] + "…"
	}
	return hex
}
