package provingkeys_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
)

// cacheOf returns a cache over shapes a, b and c with room for that many of them.
func cacheOf(t *testing.T, room int) *provingkeys.Cache {
	t.Helper()
	dir, id := t.TempDir(), toyID(t, toySize)
	var size int64
	for _, shape := range []string{"a", "b", "c"} {
		id.Shape = shape
		m, err := provingkeys.Setup(t.Context(), dir, id, compileToy(toySize), dev)
		require.NoError(t, err)
		size = m.MemoryBytes()
	}
	return provingkeys.NewCache(provingkeys.CacheConfig{
		Dir: dir, Budget: int64(room)*size + size - 1, Options: dev,
		Fingerprint: func(string, string) (settle.Fingerprint, error) { return id.Fingerprint, nil },
	})
}

func acquire(t *testing.T, c *provingkeys.Cache, shape string) (*provingkeys.Keys, func()) {
	t.Helper()
	keys, release, err := c.Acquire(t.Context(), "toy", shape)
	require.NoError(t, err)
	return keys, release
}

func TestCacheKeepsWhatFits(t *testing.T) {
	c := cacheOf(t, 2)
	a, release := acquire(t, c, "a")
	release()
	release() // a second call does nothing
	b, release := acquire(t, c, "b")
	release()
	again, release := acquire(t, c, "a")
	release()
	require.Same(t, a, again)
	_, release = acquire(t, c, "c") // drops b, used longest ago
	release()
	again, release = acquire(t, c, "a")
	release()
	require.Same(t, a, again)
	again, release = acquire(t, c, "b")
	release()
	require.NotSame(t, b, again)
	require.LessOrEqual(t, c.UsedBytes(), 2*a.Manifest.MemoryBytes())
}

func TestCacheNeverDropsKeysInUse(t *testing.T) {
	c := cacheOf(t, 1)
	_, release := acquire(t, c, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := c.Acquire(ctx, "toy", "b")
	require.ErrorIs(t, err, context.Canceled)
	done := make(chan error, 1)
	go func() {
		_, release, err := c.Acquire(t.Context(), "toy", "b")
		if err == nil {
			release()
		}
		done <- err
	}()
	release()
	require.NoError(t, <-done)
}

func TestCacheLoadsOnceForAll(t *testing.T) {
	c := cacheOf(t, 1)
	got := make([]*provingkeys.Keys, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			keys, release, err := c.Acquire(t.Context(), "toy", "a")
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = keys
			release()
		})
	}
	wg.Wait()
	for _, k := range got {
		require.Same(t, got[0], k)
	}
}

func TestCacheRefusesWhatNeverFits(t *testing.T) {
	c := cacheOf(t, 0)
	_, _, err := c.Acquire(t.Context(), "toy", "a")
	require.ErrorIs(t, err, provingkeys.ErrBudget)
	_, _, err = c.Acquire(t.Context(), "toy", "absent")
	require.ErrorIs(t, err, provingkeys.ErrMissing)
}
