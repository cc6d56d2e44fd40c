package postgres

import (
	"errors"
	"fmt"
	"os"
	osuser "os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// user is who the server runs as: Postgres refuses to run as root.
type user struct {
	name   string
	uid    uint32
	groups []uint32
	gid    uint32
	drop   bool // we are root and must change to it
}

func serverUser() (user, error) {
	if uid := os.Getuid(); uid != 0 {
		groups, err := os.Getgroups()
		if err != nil {
			return user{}, fmt.Errorf("groups of this process: %w", err)
		}
		u := user{name: strconv.Itoa(uid), uid: uint32(uid), gid: uint32(os.Getgid())}
		for _, g := range groups {
			u.groups = append(u.groups, uint32(g))
		}
		return u, nil
	}
	var missing error
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			missing = errors.Join(missing, err)
			continue
		}
		uid, errU := strconv.ParseUint(found.Uid, 10, 32)
		gid, errG := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(errU, errG); err != nil {
			return user{}, fmt.Errorf("ids of user %q: %w", name, err)
		}
		return user{name: name, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
	}
	return user{}, fmt.Errorf("Postgres does not run as root and there is neither a user postgres nor nobody: run as another user, or set DATABASE_URL: %w", missing)
}

// canReach reports whether u can read path and enter every folder above it, by
// their modes (access lists are not looked at).
func (u user) canReach(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if path, err = filepath.Abs(path); err != nil {
		return false
	}
	want := uint32(0o4)
	for {
		var st syscall.Stat_t
		if err := syscall.Stat(path, &st); err != nil {
			return false
		}
		if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
			want = 0o1
		}
		shift := 0
		switch {
		case st.Uid == u.uid:
			shift = 6
		case st.Gid == u.gid || slices.Contains(u.groups, st.Gid):
			shift = 3
		}
		if st.Mode>>shift&want != want {
			return false
		}
		parent := filepath.Dir(path)
		if parent == path {
			return true
		}
		path = parent
	}
}

// sysProcAttr runs a child as u, in a process group of its own: an interrupt typed
// at a terminal then reaches the server only through Stop, after its clients.
func (u user) sysProcAttr(deathSignal syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: deathSignal}
	if u.drop {
		attr.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid, NoSetGroups: false}
	}
	return attr
}

// own makes path a folder of u alone.
func (u user) own(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	if u.drop {
		if err := os.Chown(path, int(u.uid), int(u.gid)); err != nil {
			return err
		}
	}
	return os.Chmod(path, 0o700)
}
