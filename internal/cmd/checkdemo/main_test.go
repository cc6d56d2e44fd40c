package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	root := func(digit string) string { return "0x" + strings.Repeat(digit, 64) }
	batch := func(number, local, l1 string) string {
		return `{"number":` + number + `,"transactions":32,"local_root":"` + root(local) + `","l1_root":"` + root(l1) + `","gas":1}`
	}
	report := func(transactions, final, l1Final string, batches ...string) string {
		return `{"transactions":` + transactions + `,"final_root":"` + root(final) + `","l1_final_root":"` + root(l1Final) +
			`","batches":[` + strings.Join(batches, ",") + `]}`
	}
	first, second := batch("1", "1", "1"), batch("2", "2", "2")
	for name, c := range map[string]struct{ report, want string }{
		"good":                {report("64", "2", "2", first, second), ""},
		"root differs":        {report("64", "2", "2", first, batch("2", "2", "3")), "batch 2: root on L1"},
		"roots missing":       {`{"transactions":64,"batches":[{"number":1,"transactions":64}]}`, "no local root"},
		"batch missing":       {report("64", "3", "3", first, batch("3", "3", "3")), "batch 3 stands"},
		"root stands still":   {report("64", "1", "1", first, batch("2", "1", "1")), "does not change"},
		"transaction lost":    {report("65", "2", "2", first, second), "65 transactions were submitted"},
		"too few":             {report("32", "1", "1", first), "expected at least 64"},
		"none":                {`{}`, "expected at least 64"},
		"other replay":        {report("64", "3", "2", first, second), "the final root is"},
		"other root at end":   {report("64", "2", "3", first, second), "the final root is"},
		"not JSON":            {`done`, "not the expected JSON"},
		"something behind it": {report("64", "2", "2", first, second) + " done", "behind"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := check(strings.NewReader(c.report))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
