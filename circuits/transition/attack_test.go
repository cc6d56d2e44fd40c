package transition

import (
	"cmp"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// attack is a forgery that certain rules prevent. The test shows that the
// circuit refuses it, and that without those rules it accepts it, so that the
// forgery is about them and nothing else. A rule that other rules imply has
// implied set: its forgery stays refused without it, for the reason given.
type attack struct {
	name    string
	rules   []string
	forge   func(t *testing.T) *Circuit
	implied string
}

func TestAttacks(t *testing.T) {
	ccs := system(t, forgeShape())
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			c := a.forge(t)
			require.Error(t, solve(t, ccs, c), "the circuit accepts the forgery")
			err := engine(forgeShape(), c, a.rules...)
			if a.implied == "" {
				require.NoError(t, err, "without %q the forgery should work; as it does not, this test shows nothing", a.rules)
			} else {
				require.Error(t, err, "the rule is not implied after all")
			}
		})
	}
}

// TestForgerIsHonestByDefault: what the forger builds is valid until a test
// makes it lie.
func TestForgerIsHonestByDefault(t *testing.T) {
	f := newForger(t, 10, 1)
	f.transfer(0, claim{from: 3, to: 4, fee: 0, amountValue: 10, feePay: 1})
	f.transfer(1, claim{from: 4, to: 4, fee: 0, amountValue: 5, feePay: 2})
	f.fees(feeSlot(0, 0, 2))
	require.NoError(t, engine(forgeShape(), f.seal()))
}

// TestEveryRuleHasAnAttack reads the rules' names from the source.
func TestEveryRuleHasAnAttack(t *testing.T) {
	attacked := map[string]bool{}
	for _, a := range attacks() {
		for _, r := range a.rules {
			attacked[r] = true
		}
	}
	stated := regexp.MustCompile(`k\.(?:Zero|Equal|Width|boolean|Boolean|OneHot|Prefix|Increasing|NonZero)\("([^"]+)"(?:\+(?:name|side)\+"([^"]+)")?`)
	variants := map[string][]string{"account: ": {"old", "new"}, "transfer: ": {"amount", "fee", "sender", "receiver", "fee account"}}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var rules int
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range stated.FindAllStringSubmatch(string(source), -1) {
			rules++
			if m[2] == "" {
				require.True(t, attacked[m[1]], "no attack on rule %q", m[1])
				continue
			}
			covered := 0
			for _, v := range variants[m[1]] {
				if attacked[m[1]+v+m[2]] {
					covered++
				}
			}
			require.GreaterOrEqual(t, covered, 2, "no attack on the variants of rule %q…%q", m[1], m[2])
		}
	}
	require.Greater(t, rules, 30, "the pattern no longer finds the rules")
}

// one is the forger after one honest transfer from 3 to 4, edited by x.
func one(t *testing.T, edit func(f *forger, x *claim)) *forger {
	f := newForger(t, 10, 1)
	x := claim{from: 3, to: 4, fee: 0, amountValue: 10, feePay: 1}
	f.fees(feeSlot(0, 0, 1))
	edit(f, &x)
	f.transfer(0, x)
	return f
}

func plain(*forger, *claim) {}

// then edits the sealed assignment and publishes it again.
func then(f *forger, edit func(c *Circuit)) *Circuit {
	c := f.seal()
	edit(c)
	publish(f.t, c)
	return c
}

// setLeaf makes an account carry other values in state and memory alike: a
// forger's choice of starting state.
func (f *forger) setLeaf(index settle.AccountIndex, edit func(*leafValues)) {
	c := f.open(index)
	edit(&c.opened)
	c.now = c.opened
	f.tree.Update([]settle.AccountIndex{index}, []fr.Element{c.opened.digest(f.hasher)})
}

func power(n uint) fr.Element {
	var e fr.Element
	e.SetBigInt(new(big.Int).Lsh(big.NewInt(1), n))
	return e
}

// misread opens and closes account 5 with another reading of its packed word.
func misread(t *testing.T, reading func(l *leafValues)) *Circuit {
	f := one(t, plain)
	c := f.open(5)
	before := c.opened.digest(f.hasher)
	reading(&c.opened)
	c.now = c.opened
	require.Equal(t, before, c.opened.digest(f.hasher), "the misreading must keep the digest")
	return f.seal()
}

func attacks() []attack {
	var all []attack
	for _, group := range [][]attack{
		accountAttacks(), memoryAttacks(), unwrittenAttacks(), flagAttacks(), minusAttacks(), treeAttacks(), feeAttacks(), transferAttacks(), widthAttacks(), openAttacks(), exitAttacks(), dataAttacks(), reviewAttacks(), eachFlagAttacks(), eachKindAttacks(),
	} {
		all = append(all, group...)
	}
	return all
}

func accountAttacks() []attack {
	return []attack{
		{name: "an account opened twice by a flag of 2", rules: []string{"account: active is boolean", "tree: touched is boolean"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				f.open(7) // idle, alone under its parent
				return then(f, func(c *Circuit) {
					double(c, 3)
				})
			}},
		{name: "a gap between account slots", rules: []string{"account: active slots are a prefix"},
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) { c.Accounts[2], c.Accounts[3] = c.Accounts[3], c.Accounts[2] })
			}},
		{name: "account slots out of order", rules: []string{"account: indices increase"},
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) { c.Accounts[1], c.Accounts[2] = c.Accounts[2], c.Accounts[1] })
			}},
		{name: "token and nonce trade bits", rules: []string{"account: old token has 32 bits", "account: new token has 32 bits"},
			forge: func(t *testing.T) *Circuit {
				return misread(t, func(l *leafValues) {
					shift, unit := power(32), fr.One()
					l.token.Add(&l.token, &shift)
					l.nonce.Sub(&l.nonce, &unit)
				})
			}},
		{name: "another token by a nonce that wraps the field", rules: []string{"account: old nonce has 40 bits", "account: new nonce has 40 bits"},
			forge: func(t *testing.T) *Circuit {
				return misread(t, func(l *leafValues) {
					unit, shift := fr.One(), power(32)
					l.token.Add(&l.token, &unit)
					unit.Div(&unit, &shift)
					l.nonce.Sub(&l.nonce, &unit)
				})
			}},
		{name: "the last nonce is used and wraps to 2^40", rules: []string{"account: new nonce has 40 bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, _ *claim) {
					f.setLeaf(3, func(l *leafValues) { l.nonce = fr.NewElement(uint64(settle.MaxNonce)) })
				}).seal()
			}},
	}
}

// double makes an account slot count twice, and its entry in the tree with it.
func double(c *Circuit, slot int) {
	c.Accounts[slot].Active = 2
	index := uintOf(c.Accounts[slot].Index)
	for i := range c.Nodes {
		if n := &c.Nodes[i]; uintOf(n.Active) == 1 && uintOf(n.Level) == 1 && uintOf(n.Position) == index/settle.TreeArity {
			n.Touched[index%settle.TreeArity] = 2
		}
	}
}

func treeAttacks() []attack {
	return []attack{
		{name: "a node sent twice by a flag of 2", rules: []string{"tree: active is boolean", "tree: touched is boolean"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				return then(f, func(c *Circuit) {
					// The entry above accounts 8 to 11, in which nothing is touched.
					spare := &c.Nodes[len(c.Nodes)-1]
					spare.Active, spare.Level, spare.Position = 2, 1, 2
					for i := range spare.Old {
						leaf := f.state.Account(settle.AccountIndex(8 + i)).Leaf(f.hasher)
						spare.Old[i], spare.New[i] = leaf, leaf
					}
					for i := range c.Nodes {
						if n := &c.Nodes[i]; uintOf(n.Active) == 1 && uintOf(n.Level) == 2 {
							n.Touched[2] = 2
						}
					}
				})
			}},
		{name: "an untouched account is replaced", rules: []string{"tree: an untouched child stays"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				rich := f.state.Account(5)
				rich.Balance = settle.Amount{Hi: 1}
				return then(f, func(c *Circuit) { f.replaceUntouched(c, 5, rich.Leaf(f.hasher)) })
			}},
		{name: "a second root mints an account", rules: []string{"tree: an inactive entry receives nothing"},
			forge: func(t *testing.T) *Circuit { return secondRoot(t, 3, 0) }},
		{name: "a node above the root", rules: []string{"tree: level in 1..16"},
			implied: "an entry of level 17 needs a receiver of level 18, and so on beyond any number of slots",
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) {
					spare := &c.Nodes[len(c.Nodes)-1]
					spare.Active, spare.Level, spare.Position = 1, 17, 0
				})
			}},
		{name: "an inner node in place of an account", rules: []string{"tree: level in 1..16"},
			implied: "the digest of a node is not the digest of a leaf",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				f.open(5)
				return then(f, func(c *Circuit) {
					spare := &c.Nodes[len(c.Nodes)-1]
					spare.Active, spare.Level, spare.Position = 1, 0, 5
					c.Accounts[3].Active = 0
				})
			}},
	}
}

// replaceUntouched swaps the digest of an untouched leaf and rehashes upwards.
func (f *forger) replaceUntouched(c *Circuit, index uint64, digest fr.Element) {
	for level := 1; level <= settle.TreeLevels; level++ {
		slot := index & 3
		index >>= 2
		for i := range c.Nodes {
			n := &c.Nodes[i]
			if uintOf(n.Active) == 1 && int(uintOf(n.Level)) == level && uintOf(n.Position) == index {
				n.New[slot] = digest
				digest = nodeDigest(n.New)
				break
			}
		}
	}
	c.Header.NewRoot = digest
}

func nodeDigest(children [settle.TreeArity]frontend.Variable) fr.Element {
	return poseidon.New().Node([4]fr.Element{element(children[0]), element(children[1]), element(children[2]), element(children[3])})
}

// secondRoot opens an account below node 0 with a balance that the tree does not have:
// its tuple is received by an entry that claims to be unused. The fee goes to another
// account there, so that the true node is in the tree too.
func secondRoot(t *testing.T, child, fee settle.AccountIndex) *Circuit {
	f := newForger(t, 10, 1)
	f.fees(feeSlot(0, uint64(fee), 1))
	forged := f.open(child)
	forged.opened.balance = power(100)
	forged.now = forged.opened
	f.transfer(0, claim{from: child, to: 4, fee: fee, amountValue: 1 << 34, feePay: 1})
	real := f.cells[child]
	delete(f.cells, child) // the real tree never sees it
	return then(f, func(c *Circuit) {
		c.Accounts[2] = AccountSlot{Active: 1, Index: uint64(child), Old: real.opened.assign(), New: real.now.assign(), LastTime: real.time}
		slices.SortFunc(c.Accounts[:3], func(a, b AccountSlot) int { return cmp.Compare(uintOf(a.Index), uintOf(b.Index)) })
		spare := &c.Nodes[len(c.Nodes)-1]
		spare.Active, spare.Level, spare.Position = 0, 1, 0
		spare.Touched[child], spare.Old[child], spare.New[child] = 1, real.opened.digest(f.hasher), real.now.digest(f.hasher)
	})
}

// paidBack is secondRoot whose entry touches 1 - 1 = 0 children: what it receives too
// much, it sends for another child, which the true tree then seems to touch.
func paidBack(t *testing.T, child, back, fee settle.AccountIndex) *Circuit {
	c := secondRoot(t, child, fee)
	minusOne := fr.One()
	minusOne.Neg(&minusOne)
	spare := &c.Nodes[len(c.Nodes)-1]
	for i := range c.Nodes {
		if n := &c.Nodes[i]; uintOf(n.Active) == 1 && uintOf(n.Level) == 1 && uintOf(n.Position) == 0 {
			n.Touched[back] = 1
			spare.Touched[back], spare.Old[back], spare.New[back] = minusOne, n.Old[back], n.New[back]
		}
	}
	return c
}

func feeAttacks() []attack {
	second := func(t *testing.T, slots ...FeeSlot) *forger {
		f := newForger(t, 10, 1)
		f.transfer(0, claim{from: 3, to: 4, fee: 0, amountValue: 10, feePay: 1})
		f.transfer(1, claim{from: 3, to: 4, fee: 6, amountValue: 10, feePay: 1})
		f.fees(slots...)
		return f
	}
	return []attack{
		{name: "a fee account published as twice itself", rules: []string{"fee: active is boolean", "fee: an inactive slot is not used"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				s := feeSlot(0, 0, 1)
				s.Active = 2
				f.fees(s)
				return f.seal()
			}},
		{name: "a token too wide in D", rules: []string{"fee: token has 32 bits"},
			implied: "the pair is received by a transfer, whose token has 32 bits, as each listed account is used",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				s := feeSlot(0, 0, 1)
				s.Token = power(32)
				f.fees(s)
				return f.seal()
			}},
		{name: "an index too wide in D", rules: []string{"fee: index has 32 bits"},
			implied: "the pair is received by a transfer, whose fee account is in the tree, as each listed account is used",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				s := feeSlot(0, 0, 1)
				s.Index = power(32)
				f.fees(s)
				return f.seal()
			}},
		{name: "two fee accounts for one token", rules: []string{"fee: tokens increase"},
			forge: func(t *testing.T) *Circuit { return second(t, feeSlot(0, 0, 1), feeSlot(0, 6, 1)).seal() }},
		{name: "a fee credited to an account that D does not name", rules: []string{"fee: an inactive slot is not used"},
			forge: func(t *testing.T) *Circuit {
				hidden := feeSlot(0, 6, 1)
				hidden.Active = 0
				return second(t, feeSlot(0, 0, 1), hidden).seal()
			}},
		{name: "a listed fee account that nothing pays into", rules: []string{"fee: a listed account is used"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				f.fees(feeSlot(0, 0, 1), feeSlot(77, 1234, 0))
				return f.seal()
			}},
		{name: "a gap between fee slots", rules: []string{"fee: active slots are a prefix"},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 2)
				f.transfer(0, claim{from: 3, to: 5, fee: 1, amountValue: 10, feePay: 1})
				off := feeSlot(0, 0, 0)
				off.Active = 0
				f.fees(off, feeSlot(1, 1, 1))
				return f.seal()
			}},
		{name: "a fee paid to another account than listed", rules: nil, implied: "the fee channel does not balance",
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) { x.fee = 6 }).seal()
			}},
	}
}

func transferAttacks() []attack {
	return []attack{
		{name: "kinds 1, 3 and -4 double the sender's balance", rules: []string{"transfer: kinds are boolean"},
			forge: func(t *testing.T) *Circuit {
				minusOne := fr.One()
				minusOne.Neg(&minusOne)
				f := one(t, func(_ *forger, x *claim) {
					x.amountValue = 0
					x.signed = func(tx *state.Transaction) { tx.Kind = settle.KindNone }
					x.edit = func(s *TransferSlot) { s.Kind = KindFlags{Transfer: 1, Open: 0, Exit: 1, ExitAll: minusOne} }
				})
				now := &f.cells[3].now.balance
				now.Double(now)
				return f.seal()
			}},
		{name: "a gap between transfer slots", rules: []string{"transfer: active slots are a prefix"},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.transfer(1, claim{from: 3, to: 4, fee: 0, amountValue: 10, feePay: 1})
				f.fees(feeSlot(0, 0, 1))
				return f.seal()
			}},
		{name: "past validUntil", rules: []string{"transfer: not expired"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ValidUntil = settle.BatchNumber(f.number - 1) }
				}).seal()
			}},
		{name: "more than the sender has", rules: []string{"transfer: sender balance has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.amountValue = 1_000_001 }).seal()
			}},
		{name: "a fee beyond what the amount leaves", rules: []string{"transfer: sender balance has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.amountValue, x.feePay = 1_000_000, 1 }).seal()
			}},
		{name: "the receiver overflows", rules: []string{"transfer: receiver balance has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, _ *claim) { f.setLeaf(4, fill) }).seal()
			}},
		{name: "the fee account overflows", rules: []string{"transfer: fee account balance has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, _ *claim) { f.setLeaf(0, fill) }).seal()
			}},
		{name: "an empty slot is credited", rules: []string{"transfer: receiver exists"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) { x.to = 11 }).seal()
			}},
		{name: "an empty slot takes the fee", rules: []string{"transfer: fee account exists"},
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) { x.fee = 11; f.fees(feeSlot(0, 11, 1)) }).seal()
			}},
		{name: "an account outside the tree reads its own write", rules: []string{"transfer: times increase"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, func(_ *forger, x *claim) { x.to, x.amountValue = 5, 0 })
				delete(f.cells, 5) // never opened, never closed
				return then(f, func(c *Circuit) { c.Transfers[0].Receiver.PreviousTime = f.shape.accessTime(0, 2) })
			}},
	}
}

func fill(l *leafValues) {
	unit := fr.One()
	l.balance = power(settle.BalanceBits)
	l.balance.Sub(&l.balance, &unit)
}
