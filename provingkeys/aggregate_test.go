package provingkeys_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/provingkeys"
)

// An aggregate's keys belong to one inner key: with other inner keys in the folder
// they are not found.
func TestAggregateKeysBelongToAnInnerKey(t *testing.T) {
	dir, toy := t.TempDir(), toyID(t, toySize)
	committed := func(string, string) (settle.Fingerprint, error) { return toy.Fingerprint, nil }
	_, err := provingkeys.AggregateID(dir, "tiny-2", committed, dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing, "the inner keys are missing")
	_, err = provingkeys.AggregateID(dir, "tiny", committed, dev)
	require.ErrorContains(t, err, "demo-2")

	inner := provingkeys.ID{Circuit: settle.CircuitTransition, Shape: "tiny", Fingerprint: toy.Fingerprint}
	innerManifest, err := provingkeys.Setup(t.Context(), dir, inner, compileToy(toySize), dev)
	require.NoError(t, err)
	require.Nil(t, innerManifest.InnerKeyHash)
	id, err := provingkeys.AggregateID(dir, "tiny-2", committed, dev)
	require.NoError(t, err)
	require.Equal(t, provingkeys.ID{Circuit: settle.CircuitAggregate, Shape: "tiny-2", Fingerprint: toy.Fingerprint, Inner: innerManifest.KeyHash}, id)
	_, err = provingkeys.ReadManifest(dir, id, dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing)
	require.ErrorContains(t, err, "settle keys setup --aggregate tiny-2")

	m, err := provingkeys.Setup(t.Context(), dir, id, compileToy(toySize+1), dev)
	require.NoError(t, err)
	require.Equal(t, innerManifest.KeyHash, *m.InnerKeyHash)
	require.Equal(t, id, m.ID())
	cache := provingkeys.NewCache(provingkeys.CacheConfig{Dir: dir, Fingerprint: committed, Options: dev})
	keys, release, err := cache.Acquire(t.Context(), settle.CircuitAggregate, "tiny-2")
	require.NoError(t, err)
	require.Equal(t, m.KeyHash, keys.Manifest.KeyHash)
	release()
	vk, hash, err := provingkeys.InnerKey(dir, "tiny-2", committed, dev)
	require.NoError(t, err)
	require.NotNil(t, vk)
	require.Equal(t, innerManifest.KeyHash, hash)

	other := id
	other.Inner[0]++
	_, err = provingkeys.ReadManifest(dir, other, dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing)
	require.NotEqual(t, id.Folder(dir), other.Folder(dir))
	changed := id
	changed.Fingerprint[0]++
	_, err = provingkeys.ReadManifest(dir, changed, dev)
	require.ErrorIs(t, err, provingkeys.ErrMissing, "keys of another version of the circuit")
}
