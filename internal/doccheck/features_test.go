package doccheck

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

var update = flag.Bool("update", false, "rewrite the table of features in docs/protocol.md")

// feature is something that pages may say is there or is not. What it says of itself comes
// from the code that would do it.
type feature struct {
	name     string // as in the protocol
	executed bool   // package state does it
	proven   bool   // a circuit has slots for it
	written  string // how prose names it, as a pattern
}

func (f feature) built() bool { return f.executed && f.proven }

// features asks execution and circuits what they do.
func features(t *testing.T) []feature {
	t.Helper()
	slots := func(count func(settle.Capacity) int) bool {
		return !slices.ContainsFunc(circuits.Shapes(), func(s circuits.Shape) bool { return count(s.Capacity) == 0 })
	}
	proven := map[settle.Kind]bool{
		settle.KindTransfer: slots(func(c settle.Capacity) int { return c.Transfers }),
		settle.KindOpen:     slots(func(c settle.Capacity) int { return c.Opens }),
		settle.KindExit:     slots(func(c settle.Capacity) int { return c.Exits }),
		settle.KindExitAll:  slots(func(c settle.Capacity) int { return c.Exits }),
	}
	var all []feature
	for kind := settle.Kind(1); kind < 1<<settle.KindBits; kind++ {
		if _, err := settle.ParseKind(kind.String()); err != nil {
			continue
		}
		supported, known := proven[kind]
		require.True(t, known, "say here which slots kind %s takes", kind)
		all = append(all, feature{"`" + kind.String() + "`", executes(t, kind), supported, map[settle.Kind]string{
			settle.KindTransfer: `transfers?`, settle.KindOpen: `opens?`, settle.KindExit: `exits?`, settle.KindExitAll: `exit-all`,
		}[kind]})
	}
	l1 := slots(func(c settle.Capacity) int { return c.L1Ops })
	for kind, name := range map[settle.L1Kind]string{
		settle.L1Deposit: "`deposit`", settle.L1DepositOpen: "`deposit-open`", settle.L1ForcedExit: "`forced exit`",
	} {
		written := map[settle.L1Kind]string{settle.L1Deposit: `deposits?`, settle.L1DepositOpen: `deposit-opens?`, settle.L1ForcedExit: `forced[ -]exits?`}
		all = append(all, feature{name + " (from L1)", l1, l1, written[kind]})
	}
	_, err := circuits.AggregateFingerprint()
	all = append(all, feature{"aggregation of proofs", err == nil, err == nil, `aggregation|aggregates?`})
	slices.SortStableFunc(all[len(proven):], func(a, b feature) int { return strings.Compare(a.name, b.name) })
	return all
}

// executes reports whether package state knows a kind: it may refuse this transaction for
// what it says, but not for its kind.
func executes(t *testing.T, kind settle.Kind) bool {
	t.Helper()
	owner := fr.NewElement(5)
	accounts := []state.Indexed{{Index: 0, Account: state.Account{Owner: owner, Balance: settle.NewAmount(1000)}}}
	s, err := state.Load(poseidon.New(), fr.NewElement(7), 0, accounts, map[settle.TokenID]settle.AccountIndex{0: 0})
	require.NoError(t, err)
	_, err = s.Apply([]state.Transaction{{Kind: kind, ToOwner: owner, PublicKey: owner, Amount: 1}})
	var refusal *settle.Refusal
	return !errors.As(err, &refusal) || refusal.Code != settle.CodeUnsupportedKind
}

// TestFeatureTable: docs/protocol.md says of each feature what the code says of it.
func TestFeatureTable(t *testing.T) {
	const begin, end = "<!-- features: made by go test ./internal/doccheck -run Feature -update -->\n", "<!-- end of features -->"
	yes := map[bool]string{true: "yes", false: "no"}
	var table strings.Builder
	table.WriteString("\n| feature | executed | proven in a circuit |\n|---|---|---|\n")
	for _, f := range features(t) {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", f.name, yes[f.executed], yes[f.proven])
	}
	table.WriteString("\n")
	page := read(t, "docs", "protocol.md")
	before, rest, found := strings.Cut(page, begin)
	require.True(t, found, "no table of features")
	old, after, found := strings.Cut(rest, end)
	require.True(t, found, "no end of the table of features")
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join(root, "docs", "protocol.md"), []byte(before+begin+table.String()+end+after), 0o644))
		return
	}
	require.Equal(t, table.String(), old, "make generate")
}

// denials are words by which a sentence says that something is not there.
var denials = regexp.MustCompile(`(?i)\bno (chips?|rules?|slots?|circuit)\b|\bnot (yet |currently )?(executed|implemented|supported|built|proven)\b|\bnothing but formats\b|\bso that their formats are settled\b`)

// staleIn returns the features that a text denies although they are built. What is really
// missing is taken out first: a forced exit is no exit.
func staleIn(text string, all []feature) []string {
	var stale []string
	for _, sentence := range regexp.MustCompile(`[.:;|](?:\s|$)|\n\s*\n`).Split(text, -1) {
		sentence = strings.Join(strings.Fields(sentence), " ")
		if !denials.MatchString(sentence) {
			continue
		}
		for _, f := range all {
			if !f.built() {
				sentence = regexp.MustCompile(`(?i)\b(`+f.written+`)\b`).ReplaceAllString(sentence, "")
			}
		}
		for _, f := range all {
			if f.built() && regexp.MustCompile(`(?i)\b(`+f.written+`)\b`).MatchString(sentence) {
				stale = append(stale, f.name+": "+sentence)
			}
		}
	}
	return stale
}

// TestNothingBuiltIsDenied: no page and no package comment says that something is missing
// which the table of features has.
func TestNothingBuiltIsDenied(t *testing.T) {
	all := features(t)
	for _, said := range []string{
		"Opens, exits and aggregation have formats but no chips yet.",
		"L1 operations and aggregation are laid out here so that their\nformats are settled; circuit and contract hold the count at 0.",
		"Exits are not executed.",
	} {
		require.NotEmpty(t, staleIn(said, all), "this sentence was true once: %s", said)
	}
	for _, said := range []string{"A forced exit is not executed.", "Deposits have no chips. Exits have.", "| `deposit` **[not executed]** | 1 |"} {
		require.Empty(t, staleIn(said, all), said)
	}
	for name, text := range prose(t) {
		assert.Empty(t, staleIn(text, all), name)
	}
}
