package verifier_test

import (
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/verifier"
)

// A Verifier accepts a proof under the key that the proof's envelope names, if it knows
// that key. Here the keys are of a toy circuit, which proves any inputs.
func Example() {
	inputs := [3]settle.Element{{31: 1}, {31: 2}, {31: 3}} // c, ζ and v
	prover, err := toycircuit.Setup()
	if err != nil {
		fmt.Println(err)
		return
	}
	proof, err := prover.Prove(inputs)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := verifier.NewKey(settle.CircuitTransition, "toy", prover.VerifyingKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	envelope := settle.ProofEnvelope{Circuit: settle.CircuitTransition, Shape: "toy", KeyHash: key.Hash, Proof: proof, Inputs: inputs}
	fmt.Println("as proven:", verifier.New(key).Verify(envelope))

	envelope.Inputs[2] = settle.Element{31: 4}
	refusal, refused := settle.AsRefusal(verifier.New(key).Verify(envelope))
	fmt.Println("another v:", refused, refusal.Code)

	calldata, err := verifier.Calldata(proof)
	fmt.Println("for L1:", len(calldata) == verifier.CalldataProofBytes, err)
	// Output:
	// as proven: <nil>
	// another v: true invalid_proof
	// for L1: true <nil>
}
