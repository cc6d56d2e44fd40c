// Command checkdemo reads the JSON object that `settle-dev demo --json` prints from
// standard input and fails unless every batch has the same root on L1 and
// locally, the last one is the final root, and every transaction is in a batch.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zksettle/settle"
)

// minTransactions is the least that the demo submits.
const minTransactions = 64

// report is what checkdemo reads of the demo's object; other fields are free.
type report struct {
	Transactions int            `json:"transactions"`  // submitted
	FinalRoot    settle.Element `json:"final_root"`    // recomputed from genesis and the submitted transfers
	L1FinalRoot  settle.Element `json:"l1_final_root"` // by eth_call
	Batches      []struct {
		Number       settle.BatchNumber `json:"number"`
		Transactions int                `json:"transactions"`
		LocalRoot    settle.Element     `json:"local_root"`
		L1Root       settle.Element     `json:"l1_root"`
	} `json:"batches"`
}

func main() {
	summary, err := check(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "checkdemo:", err)
		os.Exit(1)
	}
	fmt.Println(summary)
}

func check(r io.Reader) (summary string, err error) {
	var got report
	d := json.NewDecoder(r)
	if err := d.Decode(&got); err != nil {
		return "", fmt.Errorf("the report is not the expected JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return "", errors.New("the report has something behind its JSON object")
	}
	transactions := 0
	for i, b := range got.Batches {
		switch {
		case b.Number != settle.BatchNumber(i+1):
			return "", fmt.Errorf("batch %d stands where batch %d is expected", b.Number, i+1)
		case b.LocalRoot == settle.Element{}:
			return "", fmt.Errorf("batch %d has no local root", b.Number)
		case b.LocalRoot != b.L1Root:
			return "", fmt.Errorf("batch %d: root on L1 is %s, local root is %s", b.Number, b.L1Root, b.LocalRoot)
		case i > 0 && b.LocalRoot == got.Batches[i-1].LocalRoot:
			return "", fmt.Errorf("batch %d does not change the root", b.Number)
		}
		transactions += b.Transactions
	}
	if transactions != got.Transactions {
		return "", fmt.Errorf("%d transactions were submitted, the batches hold %d", got.Transactions, transactions)
	}
	if transactions < minTransactions {
		return "", fmt.Errorf("%d batches with %d transactions, expected at least %d transactions", len(got.Batches), transactions, minTransactions)
	}
	last := got.Batches[len(got.Batches)-1].LocalRoot
	if got.FinalRoot != last || got.L1FinalRoot != last {
		return "", fmt.Errorf("the last batch ends at root %s, the final root is %s recomputed and %s on L1", last, got.FinalRoot, got.L1FinalRoot)
	}
	return fmt.Sprintf("%d transactions in %d batches: every root on L1 equals the local one", transactions, len(got.Batches)), nil
}
