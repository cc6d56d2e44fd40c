package record

import (
	"slices"
	"time"
)

// estimate foresees the end of a run: first guesses, corrected by how long the work
// done so far really took.
type estimate struct {
	started time.Time
	tasks   []taskClock
}

// taskClock foresees one task.
type taskClock struct {
	prepares, takes time.Duration // guesses, then measured
	runs            int           // repetitions with warm-ups
	prepared        bool
	ran             int
	spent           time.Duration
	guess           time.Duration // of the whole task, as first made
	skipped         bool
}

func newEstimate(tasks []Task, done []string) *estimate {
	e := &estimate{started: time.Now()}
	for _, t := range tasks {
		c := taskClock{prepares: t.Prepares, takes: t.Takes, runs: t.Warmups + t.Repeats}
		if t.Prepare == nil {
			c.prepares, c.prepared = 0, true
		}
		c.skipped = slices.Contains(done, t.Name)
		c.guess = c.prepares + time.Duration(c.runs)*c.takes
		e.tasks = append(e.tasks, c)
	}
	return e
}

func (e *estimate) of(i int) *taskClock { return &e.tasks[i] }

// left is what remains from task i on. Guesses of what was not timed yet are scaled
// by how wrong those of finished tasks were.
func (e *estimate) left(i int) time.Duration {
	var spent, guessed time.Duration
	for _, t := range e.tasks[:i] {
		if !t.skipped {
			spent, guessed = spent+t.spent, guessed+t.guess
		}
	}
	scale := 1.0
	if guessed > 0 {
		scale = spent.Seconds() / guessed.Seconds()
	}
	var left time.Duration
	for j, t := range e.tasks[i:] {
		switch {
		case t.skipped:
		case j == 0:
			left += t.left(scale)
		default:
			left += time.Duration(scale * float64(t.guess))
		}
	}
	return left
}

func (t *taskClock) left(scale float64) time.Duration {
	left := time.Duration(t.runs-t.ran) * t.takes
	if t.ran == 0 {
		left = time.Duration(scale * float64(left))
	}
	if !t.prepared {
		left += time.Duration(scale * float64(t.prepares))
	}
	return left
}

func (t *taskClock) prepare(step func() error) error {
	begun := time.Now()
	err := step()
	t.prepared, t.spent = true, t.spent+time.Since(begun)
	return err
}

func (t *taskClock) repeat(step func() error) error {
	begun := time.Now()
	err := step()
	d := time.Since(begun)
	t.takes = (t.takes*time.Duration(t.ran) + d) / time.Duration(t.ran+1) // the guess goes with the first
	t.ran, t.spent = t.ran+1, t.spent+d
	return err
}
