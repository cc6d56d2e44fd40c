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
	for name, c := range map[string]struct{ report, want string }{
		"good":              {`{"batches":[` + batch("1", "1", "1") + `,` + batch("2", "2", "2") + `]}`, ""},
		"root differs":      {`{"batches":[` + batch("1", "1", "1") + `,` + batch("2", "2", "3") + `]}`, "batch 2: root on L1"},
		"roots missing":     {`{"batches":[{"number":1,"transactions":64}]}`, "no local root"},
		"batch missing":     {`{"batches":[` + batch("1", "1", "1") + `,` + batch("3", "3", "3") + `]}`, "batch 3 stands"},
		"root stands still": {`{"batches":[` + batch("1", "1", "1") + `,` + batch("2", "1", "1") + `]}`, "does not change"},
		"too few":           {`{"batches":[` + batch("1", "1", "1") + `]}`, "expected at least 64"},
		"none":              {`{}`, "expected at least 64"},
		"not JSON":          {`done`, "not the expected JSON"},
		"noise behind":      {`{"batches":[` + batch("1", "1", "1") + `,` + batch("2", "2", "2") + `]} done`, "behind"},
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
