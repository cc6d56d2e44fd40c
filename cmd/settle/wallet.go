package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

type walletCmd struct {
	Genesis walletGenesisCmd `cmd:"" help:"Make keys and a genesis file that funds them, for development."`
	New     walletNewCmd     `cmd:"" help:"Make a wallet key."`
	Show    walletShowCmd    `cmd:"" help:"List the accounts of a key."`
	Send    walletSendCmd    `cmd:"" help:"Sign a transfer and submit it."`
	Open    walletOpenCmd    `cmd:"" help:"Open an account for a payment address and fund it."`
	Exit    walletExitCmd    `cmd:"" help:"Exit an amount to the L1 address of the key file."`
	ExitAll walletExitAllCmd `cmd:"" help:"Exit the whole balance, less the fee, to the L1 address of the key file."`
	Claims  walletClaimsCmd  `cmd:"" help:"List the settled exits of an L1 address and show which are claimed. The API is asked, and also the contract if L1_URL and --rollup are given."`
	Claim   walletClaimCmd   `cmd:"" help:"Claim a settled exit on L1. There is no bridge yet, so this pays nothing. Each exit can be claimed only once."`
}

// walletFile is a private key and the L1 address that exits go to.
type walletFile struct {
	PrivateKey string         `json:"private_key"` // 64 hexadecimal digits
	Owner      settle.Element `json:"owner"`
	L1         settle.Address `json:"l1"`
}

func newWalletFile(key schnorr.PrivateKey, l1 settle.Address) walletFile {
	b := key.Bytes()
	return walletFile{PrivateKey: hex.EncodeToString(b[:]), Owner: key.Public().Element(), L1: l1}
}

func (w walletFile) write(path string) error {
	b, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists: a key is not overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Close())
}

func readWallet(path string) (schnorr.PrivateKey, settle.Address, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return schnorr.PrivateKey{}, settle.Address{}, fmt.Errorf("read key file: %w", err)
	}
	var w walletFile
	if err := json.Unmarshal(b, &w); err != nil {
		return schnorr.PrivateKey{}, settle.Address{}, fmt.Errorf("%s is not a key file", path)
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(w.PrivateKey, "0x"))
	if err != nil {
		return schnorr.PrivateKey{}, settle.Address{}, fmt.Errorf("%s: private_key is not hexadecimal", path)
	}
	key, err := schnorr.NewPrivateKey(raw)
	if err != nil {
		return schnorr.PrivateKey{}, settle.Address{}, fmt.Errorf("%s: %w", path, err)
	}
	return key, w.L1, nil
}

type walletNewCmd struct {
	Out string `help:"Key file to write." required:"" type:"path"`
	L1  string `name:"l1" help:"Ethereum address to which exits are paid." required:""`
}

// Run writes a key file and prints the payment address.
func (c walletNewCmd) Run(a *app) error {
	var l1 settle.Address
	if err := l1.UnmarshalText([]byte(c.L1)); err != nil {
		return fmt.Errorf("--l1: %w", err)
	}
	key, err := schnorr.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if err := newWalletFile(key, l1).write(c.Out); err != nil {
		return err
	}
	return a.PrintJSON(client.Address{Owner: key.Public().Element(), L1: l1})
}

type walletGenesisCmd struct {
	Out      string `help:"Folder to write genesis.json and key files to." required:"" type:"path"`
	Accounts int    `help:"Number of accounts to fund. Account 0 also receives the fees." default:"4"`
	Balance  string `help:"Balance of each funded account, in the smallest unit of the token." default:"1000000000000"`
}

// Run writes the files.
func (c walletGenesisCmd) Run(a *app) error {
	balance, err := settle.ParseAmount(c.Balance)
	if err != nil {
		return fmt.Errorf("--balance: %w", err)
	}
	if c.Accounts < 1 {
		return fmt.Errorf("--accounts %d: expected at least 1", c.Accounts)
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return err
	}
	genesis := &state.Genesis{FeeAccounts: []state.GenesisFeeAccount{{Token: 0, Index: 0}}}
	for i := range c.Accounts {
		key, err := schnorr.GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		l1 := developmentAddress(i)
		if err := newWalletFile(key, l1).write(filepath.Join(c.Out, fmt.Sprintf("account-%d.json", i))); err != nil {
			return err
		}
		genesis.Accounts = append(genesis.Accounts, state.GenesisAccount{Owner: key.Public(), Balance: balance, L1: l1})
	}
	if err := genesis.Validate(); err != nil {
		return err
	}
	b, err := json.MarshalIndent(genesis, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(c.Out, "genesis.json")
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Stdout, "wrote %s and %d key files beside it\n", path, c.Accounts)
	return err
}

// developmentAddress is an L1 address that nobody has the key of.
func developmentAddress(i int) settle.Address {
	return settle.Address{0xde, 0xad, 16: byte(i >> 24), 17: byte(i >> 16), 18: byte(i >> 8), 19: byte(i + 1)}
}

// rollupFlags name the rollup that a wallet signs for. They are not asked from
// the API: a lying API could then obtain a signature for another rollup.
type rollupFlags struct {
	API     string `name:"api" help:"URL of the REST API." default:"http://127.0.0.1:8080" env:"SETTLE_API"`
	ChainID uint64 `help:"Chain id of the L1 chain on which the rollup is deployed." required:"" env:"SETTLE_CHAIN_ID"`
	Rollup  string `help:"Address of the rollup contract." required:"" env:"SETTLE_ROLLUP"`
	Key     string `help:"Key file of the wallet." required:"" type:"path" env:"SETTLE_WALLET"`
}

func (f rollupFlags) open() (*client.Client, client.Wallet, error) {
	var rollup settle.Address
	if err := rollup.UnmarshalText([]byte(f.Rollup)); err != nil {
		return nil, client.Wallet{}, fmt.Errorf("--rollup: %w", err)
	}
	key, l1, err := readWallet(f.Key)
	if err != nil {
		return nil, client.Wallet{}, err
	}
	c, err := client.New(f.API)
	return c, client.NewWallet(key, f.ChainID, rollup, l1), err
}

type walletShowCmd struct{ rollupFlags }

// Run prints the accounts.
func (c walletShowCmd) Run(a *app) error {
	api, wallet, err := c.open()
	if err != nil {
		return err
	}
	accounts, err := api.Accounts(a.Ctx, wallet.Address())
	if err != nil {
		return err
	}
	return a.PrintJSON(accounts)
}
