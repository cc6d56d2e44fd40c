package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zksettle/settle/internal/devnote"
	"github.com/zksettle/settle/internal/postgres"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
)

// serviceFlags say where Postgres and chain keep their data, and how the chain goes on.
type serviceFlags struct {
	DataDir  string        `help:"Folder that holds the private Postgres and the development chain." default:"${data}" env:"SETTLE_DATA_DIR" type:"path"`
	ChainID  uint64        `help:"Chain id of the development chain. 0 selects the default." default:"0" env:"SETTLE_CHAIN_ID"`
	L1Port   int           `name:"l1-port" help:"Port on loopback for the development chain. 0 picks a free one." default:"18545" env:"SETTLE_L1_PORT"`
	L1Period time.Duration `name:"l1-period" help:"Time between empty blocks on the development chain. Up to 32 of them follow a transaction, until it is final. 0 makes none." default:"2s" env:"SETTLE_L1_PERIOD"`
}

// services are what runs for others. Their order of start is the reverse of that in which
// they stop.
type services struct {
	databaseURL string
	nodeURL     string
	key         string // that signs, in hexadecimal digits
	closers     []func() error
}

func (s *services) close() error {
	var err error
	for i := len(s.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, s.closers[i]())
	}
	return err
}

// start starts what the environment names nothing for: a Postgres and a chain on the data
// folder, with notes by which other commands of this machine find them.
func (a *app) start(ctx context.Context) (_ *services, err error) {
	s := &services{databaseURL: os.Getenv(node.EnvDatabase), nodeURL: os.Getenv(node.EnvL1), key: os.Getenv(node.EnvL1Key)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.databaseURL == "" {
		if err := a.startPostgres(ctx, s); err != nil {
			return s, err
		}
	}
	if s.nodeURL == "" {
		if err := a.startChain(ctx, s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// kept leaves a note while a service runs.
func (s *services) kept(n devnote.Note, text string) error {
	if err := n.Write(text); err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { n.Remove(); return nil })
	return nil
}

func (a *app) startPostgres(ctx context.Context, s *services) error {
	dir := filepath.Join(a.DataDir, "postgres")
	server, err := postgres.Start(ctx, postgres.Config{DataDir: dir, Log: a.Log})
	if errors.Is(err, postgres.ErrInUse) {
		return fmt.Errorf("another settle-dev runs on the data folder %s: stop it, or name another folder with --data-dir: %w", a.DataDir, err)
	}
	if err != nil {
		return fmt.Errorf("start the private Postgres: %w", err)
	}
	s.closers, s.databaseURL = append(s.closers, server.Stop), server.URL()
	a.Log.Info("started the private Postgres", "data", dir)
	return s.kept(devnote.Database(a.DataDir), server.URL())
}

func (a *app) startChain(ctx context.Context, s *services) error {
	dir := filepath.Join(a.DataDir, "chain")
	chain, err := devchain.Start(ctx, devchain.Config{ChainID: a.ChainID, Port: a.L1Port, DataDir: dir, Period: a.L1Period})
	if err != nil {
		return fmt.Errorf("%w (choose another port with --l1-port, or set %s to a node of your own)", err, node.EnvL1)
	}
	s.closers, s.nodeURL = append(s.closers, chain.Close), chain.URL()
	if s.key, err = devKey(); err != nil {
		return err
	}
	a.Log.Info("started the development chain", "url", chain.URL(), "chain_id", chain.ChainID(), "data", dir)
	return errors.Join(s.kept(devnote.Chain(a.DataDir), chain.URL()), s.kept(devnote.ChainKey(a.DataDir), s.key))
}

// devKey is a funded key of the development chain, in hexadecimal digits.
func devKey() (string, error) {
	key, err := devchain.DevKey(0)
	if err != nil {
		return "", fmt.Errorf("key of the development chain: %w", err)
	}
	return hex.EncodeToString(crypto.FromECDSA(key)), nil
}

// chainCmd runs the development chain alone.
type chainCmd struct{}

// Run runs it until stopped.
func (chainCmd) Run(a *app) (err error) {
	s := &services{}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := a.startChain(a.Ctx, s); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.Stdout, "%s=%s\n%s=%s\n", node.EnvL1, s.nodeURL, node.EnvL1Key, s.key); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	<-a.Ctx.Done()
	return nil
}
