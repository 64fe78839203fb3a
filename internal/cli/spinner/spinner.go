// Package spinner shows on a terminal that, and for what, a command waits.
package spinner

import (
	"fmt"
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/utils/clock"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// interval is how long each frame stays. Nothing is shown of a shorter wait.
const interval = 100 * time.Millisecond

// frames take turns. Each is one column wide.
var frames = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// erase goes to the beginning of the line and clears it (ECMA-48, EL).
const erase = "\r\x1b[K"

// Spinner is one wait. Nothing else may write to the terminal before Stop.
type Spinner struct {
	out      io.Writer
	clock    clock.PassiveClock
	animated bool
	width    int
	start    time.Time
	done     chan struct{}
	ended    sync.WaitGroup

	mu   sync.Mutex
	text string
}

// Start shows text, which must be safe for a terminal, until Stop. Where the
// factory's ErrOut is no terminal, or one that is not to be animated, it shows
// nothing but what Tell is given.
func Start(f *factory.Factory, text string) *Spinner {
	s := &Spinner{
		out: f.ErrOut, clock: f.Clock, animated: f.Terminal.Animate, width: f.Terminal.ErrWidth,
		start: f.Clock.Now(), done: make(chan struct{}), text: text,
	}
	if s.animated {
		ticks := f.Clock.Tick(interval)
		s.ended.Go(func() { s.animate(ticks) })
	}
	return s
}

// Tell shows what is waited for now: in place of what was shown, or on a line of
// its own where nothing is animated.
func (s *Spinner) Tell(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
	if !s.animated {
		_, _ = fmt.Fprintln(s.out, text)
	}
}

// Stop takes away what was shown. It may be called once.
func (s *Spinner) Stop() {
	close(s.done)
	s.ended.Wait()
}

func (s *Spinner) animate(ticks <-chan time.Time) {
	shown := false
	for n := 0; ; n++ {
		select {
		case <-s.done:
			if shown {
				_, _ = io.WriteString(s.out, erase)
			}
			return
		case <-ticks:
			s.mu.Lock()
			text := s.text
			s.mu.Unlock()
			_, _ = io.WriteString(s.out, erase+line(n, text, s.clock.Since(s.start), s.width))
			shown = true
		}
	}
}

// line returns what is shown, one column less than the width at most, since some
// terminals go to the next line after the last column.
func line(n int, text string, waited time.Duration, width int) string {
	shown := fmt.Sprintf("%s %s (%s)", frames[n%len(frames)], text, duration.HumanDuration(waited))
	if width <= 0 {
		return shown
	}
	return terminal.Truncate(shown, width-1)
}
