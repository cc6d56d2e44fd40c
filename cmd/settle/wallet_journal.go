package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
)

const (
	journalVersion   = 1
	journalLockRetry = 50 * time.Millisecond
)

// orderText is what a command was told to do, without what is looked up.
type orderText struct {
	Kind    string         `json:"kind"`
	Token   settle.TokenID `json:"token"`
	Amount  settle.Amount  `json:"amount"`
	ToOwner settle.Element `json:"to_owner"`
	ToL1    settle.Address `json:"to_l1"`
}

func describeOrder(w client.Wallet, o client.Order) orderText {
	switch o := o.(type) {
	case client.Transfer:
		return orderText{settle.KindTransfer.String(), o.Token, o.Amount, o.Receiver.Owner, o.Receiver.L1}
	case client.Open:
		return orderText{settle.KindOpen.String(), o.Token, o.Amount, o.Account.Owner, o.Account.L1}
	case client.Exit:
		return orderText{Kind: settle.KindExit.String(), Token: o.Token, Amount: o.Amount, ToL1: w.Address().L1}
	case client.ExitAll:
		return orderText{Kind: settle.KindExitAll.String(), Token: o.Token, ToL1: w.Address().L1}
	}
	panic(fmt.Sprintf("an order of type %T", o)) // the interface is sealed
}

// sentOrder is by whom, on which rollup, and what: equal for the same command.
type sentOrder struct {
	Domain settle.Element `json:"domain"`
	Owner  settle.Element `json:"owner"`
	Order  orderText      `json:"order"`
}

// sentEntry is a transaction that was or is about to be sent, and is unanswered.
type sentEntry struct {
	sentOrder
	At time.Time `json:"at"`
	client.Signed
}

// sendJournal keeps what a wallet sends from before it is sent until it is known
// whether it is stored. One process at a time has it open.
type sendJournal struct {
	path    string
	lock    *flock.Flock
	entries []sentEntry
}

type journalFile struct {
	Version int         `json:"version"`
	Entries []sentEntry `json:"entries"`
}

// openJournal waits until no other process has the journal open, and reads it.
func openJournal(ctx context.Context, path string) (_ *sendJournal, err error) {
	j := &sendJournal{path: path, lock: flock.New(path+".lock", flock.SetPermissions(0o600))}
	if _, err := j.lock.TryLockContext(ctx, journalLockRetry); err != nil {
		return nil, fmt.Errorf("lock the wallet's journal %s.lock, which another wallet command may hold; choose a file in a folder you can write to by --journal: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the wallet's journal: %w", err)
	}
	var file journalFile
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil || file.Version != journalVersion {
		return nil, fmt.Errorf("%s is not a wallet's journal of version %d: it may name transactions that are unanswered; "+
			"restore a copy, or look at what the account has sent and then move the file away (%w)", path, journalVersion, errors.Join(err))
	}
	j.entries = file.Entries
	return j, nil
}

func (j *sendJournal) close() error {
	if err := j.lock.Unlock(); err != nil {
		return fmt.Errorf("unlock the wallet's journal: %w", err)
	}
	return nil
}

// unanswered returns the entries of the same order.
func (j *sendJournal) unanswered(o sentOrder) []sentEntry {
	var same []sentEntry
	for _, e := range j.entries {
		if e.sentOrder == o {
			same = append(same, e)
		}
	}
	return same
}

// add makes e durable. It replaces an entry of the same id.
func (j *sendJournal) add(e sentEntry) error {
	j.entries = append(slices.DeleteFunc(j.entries, func(x sentEntry) bool { return x.ID == e.ID }), e)
	return j.write()
}

// remove takes out e, which is answered.
func (j *sendJournal) remove(e sentEntry) error {
	j.entries = slices.DeleteFunc(j.entries, func(x sentEntry) bool { return x.ID == e.ID })
	return j.write()
}

// write replaces the file: whoever reads it sees the former or this one, also after
// the machine crashed.
func (j *sendJournal) write() (err error) {
	b, err := json.MarshalIndent(journalFile{Version: journalVersion, Entries: slices.Concat([]sentEntry{}, j.entries)}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the wallet's journal: %w", err)
	}
	folder := filepath.Dir(j.path)
	f, err := os.CreateTemp(folder, filepath.Base(j.path)+".*") // 0600
	if err != nil {
		return fmt.Errorf("write the wallet's journal: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the wallet's journal: %w", err)
	}
	if err := os.Rename(f.Name(), j.path); err != nil {
		return fmt.Errorf("place the wallet's journal: %w", err)
	}
	d, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync the wallet's journal: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync the wallet's journal: %w", err)
	}
	return nil
}
