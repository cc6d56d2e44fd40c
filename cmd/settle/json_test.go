package main

import (
	"testing"

	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/provingkeys"
	"github.com/zksettle/settle/state"
)

// jsonOutputs are all values that commands write as JSON, by file and expression.
var jsonOutputs = map[string]any{
	"circuits.go out":                         circuitStats{},
	"claims.go listed":                        []wire.Claim{},
	"claims.go claimReport":                   claimReport{},
	"deploy.go deployment":                    l1.Deployment{},
	"jobs.go shown":                           []jobView{},
	"keys.go manifest":                        provingkeys.Manifest{},
	"rebuild.go report":                       rebuildReport{},
	"rebuild.go rows":                         []rebuiltAccount{},
	"refused.go shown":                        []refusedView{},
	"replay.go r":                             replayReport{},
	"status_view.go p":                        pipeline{},
	"verifier.go viewOf(registration, known)": verifierView{},
	"verifier.go views":                       []verifierView{},
	"wallet.go accounts":                      []wire.Account{},
	"wallet.go client.Address":                client.Address{},
	"wallet.go genesis":                       state.Genesis{},
	"wallet.go w":                             walletFile{},
	"wallet_journal.go journalFile":           journalFile{},
	"wallet_send.go receipt":                  wire.Receipt{},
}

// TestJSONIsSnakeCase: every field of what commands write as JSON is named, in snake case.
func TestJSONIsSnakeCase(t *testing.T) {
	t.Parallel()
	testcmd.RequireSnakeCase(t, jsonOutputs)
}
