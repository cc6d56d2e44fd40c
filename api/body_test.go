package api

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A body that is read leaves no deadline behind: it would cancel the work on it.
func TestReadBodyLeavesNoDeadline(t *testing.T) {
	var deadlines []time.Time
	body := &pacedBody{
		ReadCloser: io.NopCloser(strings.NewReader("{}")), start: time.Now(),
		deadline: func(at time.Time) error { deadlines = append(deadlines, at); return nil },
	}
	_, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Greater(t, len(deadlines), 1)
	require.False(t, deadlines[0].IsZero())
	require.True(t, deadlines[len(deadlines)-1].IsZero())
}
