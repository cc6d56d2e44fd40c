// Package importrules turns the layering of the project into a test: which
// package may import which, and why. This file holds the rules, check.go and
// source.go the checkers, and the tests run both over the module.
package importrules

// Module is the path of this module.
const Module = "github.com/zksettle/settle"

// Layers lists the packages bottom-up. A package imports only packages listed
// before it, or its own subfolders; a subfolder belongs to the longest entry
// that leads to it. Packages under internal/ have no place of their own: they
// count as high as the highest package that they import. Tests are free.
func Layers() []string {
	return []string{
		".", // package settle: the vocabulary
		"poseidon",
		"schnorr",
		"publicdata",
		"state",
		"admission",
		"circuits/poseidon2",
		"circuits/rules",
		"circuits/bus",
		"circuits/diagnosis",
		"circuits/gadget",
		"circuits/transition",
		"circuits/aggregate",
		"circuits/cost",
		"circuits/baseline",
		"circuits",
		"provingkeys",
		"verifier",
		"prover",
		"aggregator",
		"migrations",
		"store",
		"leader",
		"jobs",
		"sequencer",
		"l1",
		"l1/devchain",
		"api",
		"node",
		"bench",
		"cmd/settle",
		"cmd/settle-dev",
		"cmd/settle-bench",
	}
}

// Ban keeps an import out of packages.
type Ban struct {
	Import string // this package and everything under it; a path without a dot is of the standard library
	Reason string

	// In names the packages (with everything under them) that the ban is for;
	// empty means all but Except.
	In     []string
	Except []string

	Transitive bool // the import may not arrive through others either
	Tests      bool // holds for tests too
}

const (
	gnark      = "github.com/consensys/gnark"
	pgx        = "github.com/jackc/pgx"
	goEthereum = "github.com/ethereum/go-ethereum"
)

// Bans lists what the order of the layers does not say.
func Bans() []Ban {
	return append(productBans(), []Ban{
		{
			Import: gnark, In: []string{"state"}, Transitive: true,
			Reason: "state is the specification: circuits are tested against it, so it must not be made of the same code",
		},
		{
			Import: pgx, In: []string{"state"}, Transitive: true,
			Reason: "executing a batch is a function of its inputs; a database below it could not be replayed",
		},
		{
			Import: pgx, In: []string{"admission"}, Transitive: true,
			Reason: "who is let in is a function of what was read; package store reads, and holds the lock meanwhile",
		},
		{
			Import: "net/http", In: []string{"state"}, Transitive: true,
			Reason: "executing a batch is a function of its inputs; restore tools run it offline",
		},
		{
			Import: "net", In: []string{"state"},
			Reason: "executing a batch is a function of its inputs; restore tools run it offline",
		},
		{
			Import: gnark, In: []string{"store"}, Transitive: true,
			Reason: "the store moves bytes; a change of proof system must not touch SQL",
		},
		{
			Import: gnark + "/frontend", Except: []string{"circuits", "internal/toycircuit"},
			Reason: "frontend.API stays in circuits: whoever proves gets a compiled system and a witness",
		},
		{
			Import: gnark + "/frontend", Except: []string{"circuits", "internal/toycircuit", "provingkeys", "verifier"}, Tests: true,
			Reason: "circuits of tests are toys of keys and verifiers; whoever tests a pipeline takes internal/toycircuit or a real shape",
		},
		{
			Import: gnark + "/std", Except: []string{"circuits", "internal/toycircuit"}, Tests: true,
			Reason: "gadgets stay in circuits, where each has its argument and its attack test",
		},
		{
			Import: Module + "/circuits/cost", Except: []string{"bench", "cmd"}, Transitive: true,
			Reason: "what circuits cost is for those who measure them; no circuit, prover or role depends on it",
		},
		{
			Import: gnark, Except: []string{"circuits", "provingkeys", "verifier", "prover", "aggregator", "bench", "internal/gnarkcodec", "internal/toycircuit", "internal/command", "node", "cmd/settle"},
			Reason: "gnark's backend belongs to keys, provers and verifiers; the pipeline handles envelopes of bytes",
		},
		{
			Import: Module + "/l1/devchain", Except: []string{"bench", "cmd/settle-dev"},
			Reason: "an Ethereum node in the process is for development, benchmarks and tests; production code speaks JSON-RPC to any node",
		},
		{
			// The sequencer names pgconn.PgError alone: it tells what the database refuses of a batch.
			Import: pgx, Except: []string{"migrations", "store", "sequencer", "node", "cmd/settle", "internal/testdb", "internal/postgres"},
			Reason: "SQL lives in store, where its statements and transactions can be read together",
		},
		{
			Import: goEthereum, Except: []string{"verifier", "l1", "node", "bench", "cmd/settle", "cmd/settle-dev"},
			Reason: "a node's library, LGPL-3.0, enters only where the chain is spoken to",
		},
		{
			Import: "github.com/danielgtaylor/huma", Except: []string{"api"},
			Reason: "HTTP ends at the API: errors below it are codes, not statuses",
		},
		{
			Import: "github.com/alecthomas/kong", Except: []string{"internal/command", "internal/testcmd", "cmd/settle", "cmd/settle-dev", "cmd/settle-bench"},
			Reason: "flags and environment are read once, in the command; packages take a configuration",
		},
		{
			Import: "github.com/stretchr/testify", Except: []string{"internal/testdb", "internal/testcmd", "internal/toycircuit", "internal/golden"},
			Reason: "test libraries would be linked into the binary",
		},
		{
			Import: "github.com/santhosh-tekuri/jsonschema", Transitive: true,
			Reason: "a test library, which holds the API's answers to its document, would be linked into the binary",
		},
		{
			Import: "testing", Except: []string{"internal/testdb", "internal/testcmd", "internal/toycircuit", "internal/golden"},
			Reason: "test libraries would be linked into the binary",
		},
	}...)
}

// productBans keep out of the program settle what belongs to development and measuring.
func productBans() []Ban {
	var bans []Ban
	for _, name := range []string{
		Module + "/l1/devchain", Module + "/internal/toycircuit", Module + "/circuits/baseline", Module + "/bench", Module + "/cmd/settle-dev",
		goEthereum + "/node", goEthereum + "/eth", goEthereum + "/core/vm", goEthereum + "/triedb",
		goEthereum + "/p2p/enode", goEthereum + "/p2p/discover", // below every server of p2p
		"github.com/cockroachdb/pebble", "gonum.org/v1/plot",
	} {
		bans = append(bans, Ban{
			Import: name, In: []string{"cmd/settle"}, Transitive: true,
			Reason: "operators run settle: it holds no Ethereum node, no toy circuit and nothing that measures (settle-dev and settle-bench do)",
		})
	}
	return bans
}

// SourceRules says what package-level code may do.
type SourceRules struct {
	// Constructors may initialise package-level variables: what they return is
	// never written again.
	Constructors []string
	// InitReason, VariableReason and EmbedReason say why init functions, other
	// package-level variables and embedded testdata are refused.
	InitReason, VariableReason, EmbedReason string
}

// Source returns the rules for package-level code.
func Source() SourceRules {
	return SourceRules{
		Constructors: []string{
			"errors.New", "fmt.Errorf", // sentinels
			"regexp.MustCompile", "template.Must",
			"sync.OnceValue", "sync.OnceValues", // constants that are computed
		},
		InitReason:     "code that runs on import cannot be configured, ordered or tested",
		VariableReason: "state of the process is shared by everything in it; pass it in",
		EmbedReason:    "what the product carries is no test data; it stands beside the code that embeds it",
	}
}
