package prover_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
)

func TestNeedCoversMeasuredPeaks(t *testing.T) {
	for _, measured := range []struct {
		shape                string
		proving, system      int64
		domain, peak, factor uint64
	}{
		// Result.PeakMemory on 2 cores: of the second proof in a process, and of the first.
		{"small", 371779861, 119839343, 1 << 20, 2097745920, 2},
		{"medium", 738676515, 237227191, 1 << 21, 2730270720, 2},
	} {
		m := &provingkeys.Manifest{
			ProvingKey: provingkeys.File{Bytes: measured.proving}, System: provingkeys.File{Bytes: measured.system}, Domain: measured.domain,
		}
		require.Greater(t, prover.Need(m), measured.peak, measured.shape)
		require.Less(t, prover.Need(m), measured.factor*measured.peak, measured.shape)
	}
}

func TestAdmission(t *testing.T) {
	free, held := uint64(0), uint64(0)
	var loaded []string
	var failing error
	a := &prover.Admission{
		Limit: 100, Needs: map[string]uint64{"small": 40, "large": 90, "huge": 120}, Keys: map[string]uint64{"small": 10, "large": 30},
		Free: func() (uint64, error) { return free, failing }, Child: func() (uint64, []string) { return held, loaded },
	}
	var short *prover.MemoryShortError
	require.ErrorAs(t, a.Admit("huge"), &short)
	require.True(t, short.Never())
	require.ErrorIs(t, a.Admit("small"), prover.ErrMemory)
	free = 39
	require.ErrorAs(t, a.Admit("small"), &short)
	require.False(t, short.Never())
	require.EqualValues(t, 39, short.Available)
	held, loaded = 1, []string{"small"}
	require.NoError(t, a.Admit("small"), "what the process holds is reused")
	free, held = 70, 20
	require.ErrorIs(t, a.Admit("large"), prover.ErrMemory, "other keys stay")
	free = 80
	require.NoError(t, a.Admit("large"))
	free, failing = 0, prover.ErrMemoryUnknown
	require.NoError(t, a.Admit("large"))
	failing = os.ErrPermission
	require.ErrorIs(t, a.Admit("large"), os.ErrPermission)

	require.EqualValues(t, 100-60, a.KeysBudget())
	a.Limit = 90
	require.EqualValues(t, 30, a.KeysBudget())
}

// files writes a tree of files for a Machine.
func files(t *testing.T, contents map[string]string) prover.Machine {
	t.Helper()
	root := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return prover.Machine{Root: root}
}

const meminfo = "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    800 kB\n"

func TestMachine(t *testing.T) {
	for name, c := range map[string]struct {
		files            map[string]string
		total, available uint64
	}{
		"no limits": {map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n"}, 1000 << 10, 800 << 10},
		"version 2, the parent is the tightest": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/b/memory.current": "5\n",
			"sys/fs/cgroup/a/memory.max": "5000\n", "sys/fs/cgroup/a/memory.current": "4000\n", "sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 1500\n",
		}, 5000, 2500},
		"version 1, in a container": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu:/x\n4:memory:/on/the/host\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "6000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "7000\n",
			"sys/fs/cgroup/memory/memory.stat": "inactive_file 0\ntotal_inactive_file 0\n",
		}, 6000, 0},
		"version 1 without a limit": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "7000\n",
		}, 1000 << 10, 800 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			m := files(t, c.files)
			total, err := m.Total()
			require.NoError(t, err)
			require.Equal(t, c.total, total)
			available, err := m.Available()
			require.NoError(t, err)
			require.Equal(t, c.available, available)
		})
	}
	_, err := files(t, nil).Available()
	require.ErrorIs(t, err, prover.ErrMemoryUnknown)
	_, err = files(t, map[string]string{"proc/meminfo": "MemTotal: x kB\n"}).Total()
	require.ErrorIs(t, err, prover.ErrMemoryUnknown)
}
