package provingkeys

import (
	"context"
	"fmt"
	"sync"

	"github.com/zksettle/settle"
)

// FingerprintFunc returns the committed fingerprint of a circuit's shape (Committed).
type FingerprintFunc func(circuit, shape string) (settle.Fingerprint, error)

// CacheConfig says which keys a Cache loads and how much memory they may take.
type CacheConfig struct {
	Dir         string
	Budget      int64 // bytes of loaded keys, by Manifest.MemoryBytes; 0: no bound
	Fingerprint FingerprintFunc
	Options
}

// id names the keys of a circuit's shape. Those of the aggregate circuit are for the
// keys of its inner shape in the same folder.
func (c CacheConfig) id(circuit, shape string) (ID, error) {
	if circuit == settle.CircuitAggregate {
		return AggregateID(c.Dir, shape, c.Fingerprint, c.Options)
	}
	fingerprint, err := c.Fingerprint(circuit, shape)
	if err != nil {
		return ID{}, fmt.Errorf("committed fingerprint of %s/%s: %w", circuit, shape, err)
	}
	return ID{Circuit: circuit, Shape: shape, Fingerprint: fingerprint}, nil
}

// Cache holds loaded keys within a budget of bytes. It drops the keys that were
// used longest ago and are not in use. Safe for concurrent use.
type Cache struct {
	cfg CacheConfig

	mu      sync.Mutex
	entries map[ID]*entry
	used    int64
	clock   uint64
	freed   chan struct{} // closed and replaced when room may have appeared
}

type entry struct {
	size  int64
	users int
	last  uint64
	ready chan struct{} // closed once keys or err is set
	keys  *Keys
	err   error
}

// NewCache returns an empty cache.
func NewCache(cfg CacheConfig) *Cache {
	return &Cache{cfg: cfg, entries: map[ID]*entry{}, freed: make(chan struct{})}
}

// Acquire returns the keys of a circuit's shape and a function that ends their
// use, further calls of which do nothing. It loads them if they are not there, once
// for all who ask meanwhile, and waits while the keys in use leave no room.
// ErrBudget if they can never fit; other errors as of Open.
func (c *Cache) Acquire(ctx context.Context, circuit, shape string) (*Keys, func(), error) {
	id, err := c.cfg.id(circuit, shape)
	if err != nil {
		return nil, nil, err
	}
	m, err := ReadManifest(c.cfg.Dir, id, c.cfg.Options)
	if err != nil {
		return nil, nil, err
	}
	size := m.MemoryBytes()
	if c.cfg.Budget > 0 && size > c.cfg.Budget {
		return nil, nil, fmt.Errorf("%w: %s takes %d bytes, allowed are %d: raise the key memory of this worker, or leave the shape to a larger one", ErrBudget, id, size, c.cfg.Budget)
	}
	for {
		e, load, wait := c.claim(id, size)
		switch {
		case e == nil:
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, nil, fmt.Errorf("wait for room for the keys of %s: %w", id, ctx.Err())
			}
		case load:
			// Others may wait for this load, so it does not end with our context.
			e.keys, e.err = Open(context.WithoutCancel(ctx), c.cfg.Dir, id, c.cfg.Options)
			close(e.ready)
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			c.leave(id, e)
			return nil, nil, fmt.Errorf("wait for the keys of %s: %w", id, ctx.Err())
		}
		if e.err != nil {
			c.leave(id, e)
			return nil, nil, e.err
		}
		var once sync.Once
		return e.keys, func() { once.Do(func() { c.leave(id, e) }) }, nil
	}
}

// claim registers a user of id's entry, making it if there is room; load tells the
// caller to fill it. Without room e is nil and wait closes when to try again.
func (c *Cache) claim(id ID, size int64) (e *entry, load bool, wait <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	if e := c.entries[id]; e != nil {
		e.users++
		e.last = c.clock
		return e, false, nil
	}
	for c.cfg.Budget > 0 && c.used+size > c.cfg.Budget {
		if !c.evictOldest() {
			return nil, false, c.freed
		}
	}
	e = &entry{size: size, users: 1, last: c.clock, ready: make(chan struct{})}
	c.entries[id] = e
	c.used += size
	return e, true, nil
}

func (c *Cache) evictOldest() bool {
	var oldest ID
	var found *entry
	for id, e := range c.entries {
		if e.users == 0 && (found == nil || e.last < found.last) {
			oldest, found = id, e
		}
	}
	if found == nil {
		return false
	}
	delete(c.entries, oldest)
	c.used -= found.size
	return true
}

// leave ends one use of e. An entry that failed to load is forgotten at once, so
// that the next one tries again.
func (c *Cache) leave(id ID, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	select {
	case <-e.ready:
		if e.err != nil && c.entries[id] == e {
			delete(c.entries, id)
			c.used -= e.size
		}
	default:
	}
	close(c.freed)
	c.freed = make(chan struct{})
}

// UsedBytes returns what the loaded keys take by Manifest.MemoryBytes.
func (c *Cache) UsedBytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}
