package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/store"
)

// shownRefused is how many proofs that were set aside a look at the pipeline shows.
const shownRefused = 5

type jobsRefusedCmd struct {
	dataFlags
	Batch uint32 `help:"List only proofs of this batch."`
	Limit int    `help:"Show at most this many. 0 shows all." default:"50"`
	JSON  bool   `name:"json" help:"Print a JSON array that includes the proofs."`
}

// Run prints the proofs.
func (c jobsRefusedCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		found, err := db.Store.RefusedProofs(a.Ctx, settle.BatchNumber(c.Batch), c.Limit)
		if err != nil {
			return err
		}
		shown := make([]refusedView, len(found))
		for i := range found {
			shown[i] = viewRefused(&found[i], c.JSON)
		}
		if c.JSON {
			return a.PrintJSON(shown)
		}
		return writeRefused(a.Stdout, shown)
	})
}

// refusedView is a proof that was set aside, as --json shows it.
type refusedView struct {
	Batch     settle.BatchNumber `json:"batch"`
	Circuit   string             `json:"circuit"`
	Shape     string             `json:"shape"`
	KeyHash   settle.KeyHash     `json:"key_hash"`
	Worker    string             `json:"worker"` // that stored it, by its row
	Attempt   int                `json:"attempt"`
	StoredAt  time.Time          `json:"stored_at"`
	RefusedAt time.Time          `json:"refused_at"`
	RefusedBy string             `json:"refused_by"`
	Reason    string             `json:"reason"`
	Inputs    []settle.Element   `json:"inputs,omitempty"` // c, ζ, v
	Proof     string             `json:"proof,omitempty"`  // hexadecimal
}

func viewRefused(r *store.RefusedProof, whole bool) refusedView {
	v := refusedView{
		Batch: r.Batch, Circuit: r.Circuit, Shape: r.Shape, KeyHash: r.KeyHash, Worker: r.Worker, Attempt: r.Attempt,
		StoredAt: r.StoredAt, RefusedAt: r.RefusedAt, RefusedBy: r.RefusedBy, Reason: r.Reason,
	}
	if whole {
		v.Inputs, v.Proof = r.Inputs[:], "0x"+hex.EncodeToString(r.Proof)
	}
	return v
}

func writeRefused(w io.Writer, found []refusedView) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "no proof was set aside")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BATCH\tCIRCUIT\tSHAPE\tWORKER\tATTEMPT\tSTORED\tSET ASIDE\tBY\tREASON")
	for _, r := range found {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", r.Batch, r.Circuit, r.Shape, r.Worker, r.Attempt,
			r.StoredAt.UTC().Format(time.DateTime), r.RefusedAt.UTC().Format(time.DateTime), r.RefusedBy, firstLine(r.Reason))
	}
	return table.Flush()
}
