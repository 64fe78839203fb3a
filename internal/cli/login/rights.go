package login

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// atOnce bounds how many questions are under way.
	atOnce = 8
	// noVersion is the id of no version: ids are random or come from changes.
	noVersion = "00000000-0000-0000-0000-000000000000"
)

// rights asks the cluster, each question once.
type rights struct {
	ask   func(context.Context, authorizationv1.ResourceAttributes) (bool, error)
	mu    sync.Mutex
	known map[authorizationv1.ResourceAttributes]*question
}

type question struct {
	once sync.Once
	may  bool
	err  error
}

func (r *rights) may(ctx context.Context, what authorizationv1.ResourceAttributes) (bool, error) {
	r.mu.Lock()
	q := r.known[what]
	if q == nil {
		q = &question{}
		r.known[what] = q
	}
	r.mu.Unlock()
	q.once.Do(func() { q.may, q.err = r.ask(ctx, what) })
	return q.may, q.err
}

// writes is what holding a verb is worth nothing without (docs/security.md, Rights in
// Kubernetes).
var writes = map[string]string{v1alpha1.VerbPropose: "create", v1alpha1.VerbApprove: "patch", v1alpha1.VerbRollback: "create"}

// holds asks for one of our verbs, and for what it takes to use it.
func (r *rights) holds(ctx context.Context, verb string, e *environment) (answer, error) {
	may, err := r.may(ctx, authorizationv1.ResourceAttributes{Namespace: e.Namespace, Verb: writes[verb], Resource: "secretchanges"})
	if err != nil || !may {
		return no, err
	}
	for _, subresource := range []string{"", e.Environment} {
		may, err := r.may(ctx, authorizationv1.ResourceAttributes{
			Namespace: e.Namespace, Verb: verb, Resource: "secretprojects", Subresource: subresource, Name: e.Project,
		})
		if err != nil || may {
			return answerOf(may), err
		}
	}
	return no, nil
}

// askRights asks both systems what one may do in each environment.
func (o *options) askRights(ctx context.Context, r *report) error {
	var notes notes
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	if r.Cluster.Error == "" {
		o.askVerbs(ctx, group, &notes, r.Environments)
	}
	var err error
	if r.AWS.Error == "" {
		err = o.askReading(ctx, group, &notes, r.Environments)
	}
	err = errors.Join(err, group.Wait())
	r.Notes = append(r.Notes, notes.all...)
	return err
}

func (o *options) askVerbs(ctx context.Context, group *errgroup.Group, notes *notes, environments []environment) {
	cluster := &rights{ask: o.factory.MayDo, known: map[authorizationv1.ResourceAttributes]*question{}}
	for i := range environments {
		e := &environments[i]
		for verb, to := range map[string]*answer{v1alpha1.VerbPropose: &e.Propose, v1alpha1.VerbApprove: &e.Approve, v1alpha1.VerbRollback: &e.Rollback} {
			group.Go(func() error {
				got, err := cluster.holds(ctx, verb, e)
				if err != nil {
					notes.add(ctx, fmt.Errorf("ask the cluster whether you may %s: %w", verb, err))
					return ctx.Err()
				}
				*to = got
				return nil
			})
		}
	}
}

func (o *options) askReading(ctx context.Context, group *errgroup.Group, notes *notes, environments []environment) error {
	for i := range environments {
		e := &environments[i]
		if e.secret == "" {
			continue // nobody knows yet where it is
		}
		store, err := o.factory.Store(ctx, e.region)
		if err != nil {
			return err
		}
		group.Go(func() error {
			got, err := mayRead(ctx, store, e.secret)
			if err != nil {
				notes.add(ctx, fmt.Errorf("ask AWS whether you may read: %w", err))
			}
			e.Read = got
			return ctx.Err()
		})
	}
	return nil
}
