package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// anyJSON draws a JSON value; depth bounds its nesting.
func anyJSON(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(),
		rapid.Uint64().AsAny(), rapid.StringMatching(`[+-]?[0-9]{1,45}`).AsAny(), rapid.StringMatching(`0x[0-9a-fA-F]{0,130}`).AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := anyJSON(depth - 1)
	return rapid.OneOf(append(scalars, rapid.SliceOfN(inner, 0, 4).AsAny(), rapid.MapOfN(rapid.String(), inner, 0, 4).AsAny())...)
}

// spoil draws changes of a valid transaction's members.
func spoil(t *rapid.T, m map[string]any) map[string]any {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		name := rapid.SampledFrom(names).Draw(t, "name")
		switch rapid.IntRange(0, 4).Draw(t, "change") {
		case 0:
			delete(m, name)
		case 1:
			m[name] = anyJSON(1).Draw(t, "value")
		case 2:
			m[rapid.String().Draw(t, "extra")] = 1
		case 3:
			m[name] = m[rapid.SampledFrom(names).Draw(t, "other")]
		case 4:
			if s, ok := m[name].(string); ok && s != "" {
				b := []byte(s)
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789abcdefx")).Draw(t, "digit")
				m[name] = string(b)
			}
		}
	}
	return m
}

// Whatever is sent, the answer is 2xx or a 4xx problem with a code of ours.
func TestRandomBodiesNeverFailUs(t *testing.T) {
	r := newRig(t)
	known := errorsPage(t)
	nonce := 0
	check := func(t *rapid.T, body string) {
		out, err := r.try(http.MethodPost, "/v1/transactions", body)
		require.NoError(t, err)
		require.Less(t, out.status, 500, "%q: %s", body, out.body)
		if out.status >= 400 {
			require.Contains(t, known, string(out.problem.Code))
		}
		var results wire.Results
		if out.status == http.StatusOK && json.Unmarshal(out.body, &results) == nil {
			for i, result := range results.Results {
				require.Equal(t, result.Problem == nil, result.Status == settle.TxAccepted, "%d", i)
			}
		}
	}
	t.Run("json", rapid.MakeCheck(func(t *rapid.T) {
		encoded, err := json.Marshal(anyJSON(3).Draw(t, "body"))
		require.NoError(t, err)
		check(t, string(encoded))
	}))
	t.Run("text", rapid.MakeCheck(func(t *rapid.T) { check(t, rapid.String().Draw(t, "body")) }))
	t.Run("transactions", rapid.MakeCheck(func(t *rapid.T) {
		var items []string
		for range rapid.IntRange(1, 4).Draw(t, "items") {
			tx := r.members(r.transfer(alice, bob, 1, settle.Nonce(nonce%200)))
			nonce++
			encoded, err := json.Marshal(spoil(t, tx))
			require.NoError(t, err)
			items = append(items, string(encoded))
		}
		check(t, "["+strings.Join(items, ",")+"]")
		check(t, items[0])
	}))
}

func TestRandomPathsNeverFailUs(t *testing.T) {
	r := newRig(t)
	segment := rapid.OneOf(rapid.StringMatching(`[0-9a-zA-Z%~._-]{1,12}`), rapid.StringMatching(`[0-9]{1,21}`), rapid.StringMatching(`0x[0-9a-f]{64}`))
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.SampledFrom([]string{"transactions", "accounts", "batches", "status", "nothing"}).Draw(t, "base")
		path := fmt.Sprintf("/v1/%s/%s?%s=%s", base, strings.ReplaceAll(segment.Draw(t, "segment"), "%", "%25"),
			rapid.SampledFrom([]string{"owner", "l1", "limit", "before", "after", "x"}).Draw(t, "name"), rapid.StringMatching(`[0-9a-zx-]{0,70}`).Draw(t, "value"))
		out, err := r.try(http.MethodGet, path, nil)
		require.NoError(t, err)
		require.Less(t, out.status, 500, path)
	})
}
