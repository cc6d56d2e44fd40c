package main

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/devnote"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/migrations"
	"github.com/zksettle/settle/node"
)

// dataFlags find what settle-dev runs on this machine.
type dataFlags struct {
	DataDir string `help:"Data folder of a running settle-dev. Its Postgres is used if DATABASE_URL is not set, and its chain if L1_URL is not set." default:"${data}" env:"SETTLE_DATA_DIR" type:"path"`
}

// databaseURL is DATABASE_URL, or else where the Postgres of settle-dev is.
func (f dataFlags) databaseURL() (string, error) {
	if u := os.Getenv(node.EnvDatabase); u != "" {
		return u, nil
	}
	if u, ok := devnote.Database(f.DataDir).Read(); ok {
		return u, nil
	}
	return "", fmt.Errorf("no database: set %s to a Postgres URL, or start one for development (settle-dev up; nothing runs on the data folder %s)", node.EnvDatabase, f.DataDir)
}

// nodeURL is L1_URL, or else where the chain of settle-dev is; empty if there is neither.
func (f dataFlags) nodeURL() string {
	if u := os.Getenv(node.EnvL1); u != "" {
		return u
	}
	u, _ := devnote.Chain(f.DataDir).Read()
	return u
}

// l1Flags say which chain is expected.
type l1Flags struct {
	nodeFlags
	ChainID uint64 `help:"Chain id that the L1 node must have. 0 accepts any." default:"0" env:"SETTLE_CHAIN_ID"`
}

// feeFlags bound what transactions of L1 cost.
type feeFlags struct {
	MaxFee string `help:"Highest fee per gas to pay on L1, in wei. The default is 200 gwei." env:"SETTLE_MAX_FEE_PER_GAS"`
}

func (f feeFlags) policy(a *app) (l1.FeePolicy, error) {
	policy := l1.FeePolicy{Logger: a.Log}
	if f.MaxFee == "" {
		return policy, nil
	}
	var err error
	if policy.MaxFee, err = settle.ParseAmount(f.MaxFee); err != nil {
		return policy, fmt.Errorf("--max-fee: %w", err)
	}
	return policy, nil
}

// nodeFlags say how an L1 node is asked.
type nodeFlags struct {
	L1Timeout time.Duration `name:"l1-timeout" help:"Longest time that one call to the L1 node may take. After that the call is made again." default:"30s" env:"SETTLE_L1_TIMEOUT"`
	LogWindow uint64        `name:"log-window" help:"Largest number of blocks in one search of the L1 log. It is halved, down to 1, if the node refuses so many." default:"5000" env:"SETTLE_LOG_WINDOW"`
}

// Validate is called by kong.
func (f nodeFlags) Validate() error {
	if f.L1Timeout <= 0 {
		return fmt.Errorf("--l1-timeout %s: expected a time above 0, for example 30s", f.L1Timeout)
	}
	if f.LogWindow == 0 {
		return errors.New("--log-window 0: expected at least 1 block")
	}
	return nil
}

func (f nodeFlags) options(a *app) []l1.Option {
	return []l1.Option{l1.WithLogger(a.Log), l1.WithTimeout(f.L1Timeout), l1.WithLogWindow(f.LogWindow)}
}

// dial connects to a node for a command that runs once.
func (f nodeFlags) dial(a *app, nodeURL string, chainID uint64) (*l1.Conn, error) {
	return l1.Dial(a.Ctx, nodeURL, chainID, append(f.options(a), l1.WithPatience(node.CommandPatience))...)
}

// errNoNode says how to name a node.
func errNoNode(f dataFlags) error {
	return fmt.Errorf("no L1 node: set %s to the URL of an Ethereum node, or start a chain for development (settle-dev up; nothing runs on the data folder %s)", node.EnvL1, f.DataDir)
}

// signer finds the node and the key to sign with. A wrong node or chain id is found
// before anything is done.
func (f l1Flags) signer(a *app, data dataFlags) (*node.L1, error) {
	u := data.nodeURL()
	if u == "" {
		return nil, errNoNode(data)
	}
	key, err := signingKey(data)
	if err != nil {
		return nil, err
	}
	found := &node.L1{URL: u, Key: key, Options: f.options(a)}
	conn, err := found.Dial(a.Ctx, f.ChainID)
	if err != nil {
		return nil, err
	}
	conn.Close()
	return found, nil
}

// awaitSigner is signer for a role, which waits for the node.
func (f l1Flags) awaitSigner(a *app, data dataFlags) (*node.L1, error) {
	return node.Await(a.Ctx, a.Log, func() (*node.L1, error) { return f.signer(a, data) })
}

func signingKey(data dataFlags) (*ecdsa.PrivateKey, error) {
	text := os.Getenv(node.EnvL1Key)
	if text == "" && os.Getenv(node.EnvL1) == "" {
		text, _ = devnote.ChainKey(data.DataDir).Read()
	}
	text = strings.TrimPrefix(strings.TrimSpace(text), "0x")
	if text == "" {
		return nil, fmt.Errorf("set %s to the operator's private key (64 hexadecimal digits): %s names a node of your own", node.EnvL1Key, node.EnvL1)
	}
	key, err := crypto.HexToECDSA(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key of 64 hexadecimal digits", node.EnvL1Key) // without the cause, which may quote it
	}
	return key, nil
}

// migrateFlags let a command change the schema of its database, which none does unasked.
type migrateFlags struct {
	Migrate bool `help:"Bring the database schema up to date before starting. Without it an older schema is refused." env:"SETTLE_MIGRATE"`
}

// open opens the database, and migrates it if told so.
func (f migrateFlags) open(a *app, data dataFlags) (*node.Database, error) {
	u, err := data.databaseURL()
	if err != nil {
		return nil, err
	}
	db, err := node.OpenDatabase(a.Ctx, u, f.Migrate)
	if errors.Is(err, migrations.ErrOutdated) {
		err = fmt.Errorf("%w, or pass --migrate", err)
	}
	return db, err
}

// await is open for a role, which waits for Postgres.
func (f migrateFlags) await(a *app, data dataFlags) (*node.Database, error) {
	return node.Await(a.Ctx, a.Log, func() (*node.Database, error) { return f.open(a, data) })
}

// withDatabase opens the database around a command that never migrates it.
func (a *app) withDatabase(data dataFlags, do func(*node.Database) error) error {
	u, err := data.databaseURL()
	if err != nil {
		return err
	}
	db, err := node.OpenDatabase(a.Ctx, u, false)
	if err != nil {
		return err
	}
	defer db.Close()
	(&node.Node{DB: db, Log: a.Log}).WarnOfConnections(a.Ctx, 0)
	return do(db)
}
