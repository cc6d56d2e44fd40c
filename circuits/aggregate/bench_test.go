package aggregate

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/circuits/gadget"
)

var benchSlots = flag.Int("bench-slots", 2, "slots of BenchmarkProve")

// BenchmarkProve compiles, sets up, proves and verifies for real, with toy inner
// proofs: minutes and 2 GB per million constraints.
//
//	go test ./circuits/aggregate -run '^$' -bench Prove -benchtime 1x -timeout 60m -args -bench-slots 2
func BenchmarkProve(b *testing.B) {
	in := newInner(b)
	key, proofs := in.key, in.prove(*benchSlots)
	step := func(name string, since time.Time) time.Time {
		b.ReportMetric(time.Since(since).Seconds(), name+"-s")
		return time.Now()
	}
	start := time.Now()
	solver.RegisterHint(append(Hints(), gadget.Hints()...)...)
	ccs, err := Compile(key, *benchSlots)
	require.NoError(b, err)
	start = step("compile", start)
	pk, vk, err := groth16.Setup(ccs)
	require.NoError(b, err)
	start = step("setup", start)
	assignment, err := Assign(*benchSlots, proofs)
	require.NoError(b, err)
	full, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(b, err)
	start = step("assign", start)
	var proof groth16.Proof
	for b.Loop() {
		proof, err = groth16.Prove(ccs, pk, full, backend.WithProverHashToFieldFunction(sha256.New()))
		require.NoError(b, err)
	}
	b.ReportMetric(float64(ccs.GetNbConstraints()), "constraints")
	var size bytes.Buffer
	_, err = proof.WriteRawTo(&size)
	require.NoError(b, err)
	public, err := full.Public()
	require.NoError(b, err)
	require.NoError(b, groth16.Verify(proof, vk, public, backend.WithVerifierHashToFieldFunction(sha256.New())))
	step("prove-verify", start)
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	b.ReportMetric(float64(usage.Maxrss)*1024/1e9, "peak-GB")
}
