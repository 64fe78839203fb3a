package guard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

const (
	// DefaultInterval is how often the guard looks where nothing has changed.
	DefaultInterval = time.Minute
	// DefaultMaxSilence is how long it goes without proof before it no longer vouches for anything.
	DefaultMaxSilence = 5 * time.Minute

	// roundTimeout limits one look at the cluster.
	roundTimeout = 30 * time.Second
	// retryInterval is how long it waits after a look that proved nothing, or a weakness.
	retryInterval = 5 * time.Second
)

// Config is what a Guard needs.
type Config struct {
	Options Options
	// Namespace is the manager's own.
	Namespace string
	// Client writes, and Reader reads past the cache, both as Options.ControllerUser.
	Client client.Client
	Reader client.Reader
	// Cache tells when one of the objects has changed.
	Cache cache.Cache
	// Interval between looks, 0 means DefaultInterval; Jitter, which may be nil, returns what is added to each.
	Interval time.Duration
	Jitter   func() time.Duration
	// MaxSilence is how long a proof holds; 0 means DefaultMaxSilence.
	MaxSilence time.Duration
	// Clock is the real one if nil.
	Clock clock.Clock
	Log   logr.Logger
}

// Guard finds out, as long as it is started, whether the admission policies are in force. It implements Reader and
// manager.Runnable.
type Guard struct {
	config   Config
	expected *Expected
	store    store
	trial    Trial
	wake     chan struct{}

	mu sync.Mutex
	// state was true at provenAt.
	state    State
	provenAt time.Time
	// doubt says why the last look proved nothing.
	doubt error
	// standing and unrecorded, which says that a weakness was seen that may not be on record, are touched by looks alone.
	standing   standing
	unrecorded bool
	// told is whether subscribers were last told that all is intact, and in which epoch.
	told        State
	subscribers []chan event.GenericEvent
}

var _ Reader = &Guard{}

// New returns a Guard that has yet to be started.
func New(config Config) (*Guard, error) {
	if config.Options.ControllerUser == "" {
		config.Options.ControllerUser = DefaultControllerUser
	}
	if config.Interval == 0 {
		config.Interval = DefaultInterval
	}
	if config.Jitter == nil {
		config.Jitter = func() time.Duration { return 0 }
	}
	if config.MaxSilence == 0 {
		config.MaxSilence = DefaultMaxSilence
	}
	if config.Clock == nil {
		config.Clock = clock.RealClock{}
	}
	expected, err := Expect(config.Options)
	if err != nil {
		return nil, err
	}
	return &Guard{
		config:   config,
		expected: expected,
		store:    store{reader: config.Reader, writer: config.Client, namespace: config.Namespace},
		trial:    Trial{Client: config.Client, User: config.Options.ControllerUser, Namespace: config.Namespace},
		wake:     make(chan struct{}, 1),
		state:    State{Reason: "The admission policies have not been checked yet; this takes a few seconds."},
	}, nil
}

// NeedLeaderElection says that only the leader keeps the epoch.
func (g *Guard) NeedLeaderElection() bool { return true }

// State implements Reader.
func (g *Guard) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.effective()
}

// effective is the state, unless its proof is too old by now.
func (g *Guard) effective() State {
	state := g.state
	if state.Intact && g.config.Clock.Since(g.provenAt) > g.config.MaxSilence {
		state.Intact = false
		state.Reason = fmt.Sprintf("It has not been proven for %s that the admission policies are in force: %v.", g.config.MaxSilence, g.doubt)
	}
	return state
}

// Subscribe returns a channel that gets an event whenever Intact or Epoch of the State has changed, for a
// source.Channel. An event that was not taken yet stands for all later ones. It must be called before Start.
func (g *Guard) Subscribe() <-chan event.GenericEvent {
	g.mu.Lock()
	defer g.mu.Unlock()
	subscriber := make(chan event.GenericEvent, 1)
	g.subscribers = append(g.subscribers, subscriber)
	return subscriber
}

// Start looks at once, every interval and whenever one of the objects changes, until ctx ends.
func (g *Guard) Start(ctx context.Context) error {
	if err := g.watch(ctx); err != nil {
		return err
	}
	for {
		timer := g.config.Clock.NewTimer(g.round(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-g.wake:
			timer.Stop()
		case <-timer.C():
		}
	}
}

// round looks once and returns how long to wait until the next time.
func (g *Guard) round(ctx context.Context) time.Duration {
	defer g.tell()
	started := g.config.Clock.Now()
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	state, settled, err := g.look(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.doubt = err
		if !g.state.Intact {
			g.state.Reason = fmt.Sprintf("It is not proven yet that the admission policies are in force: %v.", err)
		}
		g.config.Log.Error(err, "cannot tell whether the admission policies are in force")
		return retryInterval
	}
	g.state, g.provenAt = state, started
	switch {
	case !settled:
		return timePrecision
	case !state.Intact:
		return retryInterval
	default:
		return g.config.Interval + g.config.Jitter()
	}
}

// tell sends an event if what State says is no longer what subscribers last learned.
func (g *Guard) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	state := g.effective()
	if state.Intact == g.told.Intact && state.Epoch == g.told.Epoch {
		return
	}
	g.told = state
	for _, subscriber := range g.subscribers {
		about := &metav1.PartialObjectMetadata{}
		about.Namespace, about.Name = g.config.Namespace, ConfigMapName
		select {
		case subscriber <- event.GenericEvent{Object: about}:
		default:
		}
	}
}
