package main

import (
	"testing"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/internal/testcmd"
)

// TestJSONIsSnakeCase: every field of what commands write as JSON is named, in snake case.
func TestJSONIsSnakeCase(t *testing.T) {
	t.Parallel()
	testcmd.RequireSnakeCase(t, map[string]any{"compare.go found": record.Comparison{}})
}
