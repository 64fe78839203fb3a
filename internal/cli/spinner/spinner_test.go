package spinner

import (
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/terminal"
)

// writes hands on what is written, one after the other.
type writes chan string

func (w writes) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

func start(animate bool, width int) (*Spinner, writes, *clocktesting.FakeClock) {
	written := make(writes, 100)
	clock := clocktesting.NewFakeClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	f := &factory.Factory{
		IOStreams: genericiooptions.IOStreams{ErrOut: written}, Clock: clock,
		Terminal: factory.Terminal{Animate: animate, ErrWidth: width},
	}
	return Start(f, "Waiting for the controller"), written, clock
}

func TestItShowsWhatIsWaitedForAndLeavesNothing(t *testing.T) {
	s, written, clock := start(true, 80)
	next := func() string {
		clock.Step(interval)
		return <-written
	}
	if got := next(); got != erase+"⠋ Waiting for the controller (0s)" {
		t.Errorf("first %q", got)
	}
	s.Tell("Being made live")
	clock.Step(3 * time.Second)
	if got := <-written; got != erase+"⠙ Being made live (3s)" {
		t.Errorf("then %q", got)
	}
	s.Stop()
	close(written)
	var all []string
	for text := range written {
		all = append(all, text)
	}
	if len(all) == 0 || all[len(all)-1] != erase {
		t.Errorf("at last %q", all)
	}
}

func TestAShortWaitShowsNothing(t *testing.T) {
	s, written, _ := start(true, 80)
	s.Stop()
	if len(written) != 0 {
		t.Errorf("shown: %q", <-written)
	}
}

func TestNothingMovesWhereItIsNotToBeAnimated(t *testing.T) {
	s, written, clock := start(false, 0)
	if clock.HasWaiters() {
		t.Error("it wants to move")
	}
	s.Tell("Being made live")
	s.Stop()
	if got := <-written; got != "Being made live\n" || len(written) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestALineFitsTheTerminal(t *testing.T) {
	for _, width := range []int{1, 2, 10, 40, 200} {
		for n := range 2 * len(frames) {
			if got := line(n, strings.Repeat("日本 ", 20), time.Hour, width); terminal.Width(got) > max(width-1, 0) {
				t.Errorf("%d columns of %d: %q", terminal.Width(got), width, got)
			}
		}
	}
}
