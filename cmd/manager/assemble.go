package main

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/controller/metrics"
	"github.com/secretreview/secretreview/internal/controller/rewind"
	"github.com/secretreview/secretreview/internal/controller/secretchange"
	"github.com/secretreview/secretreview/internal/controller/secretproject"
	trimmer "github.com/secretreview/secretreview/internal/controller/trim"
	"github.com/secretreview/secretreview/internal/guard"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/project"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/cache"
	"github.com/secretreview/secretreview/internal/trim"
)

// assembly is what the parts have in common.
type assembly struct {
	*options
	mgr     ctrl.Manager
	store   secretstore.Store
	region  string
	account string
	guard   *guard.Guard
	metrics *metrics.Metrics
}

// assemble adds all parts to the manager.
func assemble(ctx context.Context, mgr ctrl.Manager, o *options) error {
	counters, err := metrics.New(ctrlmetrics.Registry)
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	adapter, account, err := openAWS(ctx, o, counters)
	if err != nil {
		return err
	}
	watch, err := newGuard(ctx, mgr, o)
	if err != nil {
		return err
	}
	a := &assembly{
		options: o, mgr: mgr, store: cache.New(adapter, cache.Options{}),
		region: adapter.Region(), account: account, guard: watch, metrics: counters,
	}
	counters.ListsEvery(o.sweepInterval)
	return errors.Join(
		metrics.AddState(ctx, mgr, ctrlmetrics.Registry, watch),
		mgr.Add(watch),
		mgr.Add(&rewind.Watch{Reader: mgr.GetAPIReader(), Clock: clock.RealClock{}, Interval: rewind.DefaultInterval}),
		a.addChanges(),
		a.addProjects(),
		addHealth(mgr, watch),
	)
}

// newGuard learns the manager's own user name, which the policies must name.
func newGuard(ctx context.Context, mgr ctrl.Manager, o *options) (*guard.Guard, error) {
	var self authenticationv1.SelfSubjectReview
	if err := mgr.GetClient().Create(ctx, &self); err != nil {
		return nil, fmt.Errorf("cannot learn the manager's own user name from the API server: %w", err)
	}
	return guard.New(guard.Config{
		Options:   o.guardOptions(self.Status.UserInfo.Username),
		Namespace: o.namespace,
		Client:    mgr.GetClient(),
		Reader:    mgr.GetAPIReader(),
		Cache:     mgr.GetCache(),
		Jitter:    func() time.Duration { return rand.N(guard.DefaultInterval / 10) }, //nolint:gosec // spreads load, hides nothing
		Log:       ctrl.Log.WithName("guard"),
	})
}

// guardOptions are what an installer must have written into the policies of the manager with this user name.
func (o *options) guardOptions(user string) guard.Options {
	return guard.Options{
		ControllerUser:           user,
		Appliers:                 o.gitopsAppliers,
		BackupAccounts:           o.backupAccounts,
		ReviewingServiceAccounts: o.reviewingServiceAccounts,
		ProposingServiceAccounts: o.proposingServiceAccounts,
		SessionEnforcedRoles:     o.sessionEnforcedRoles,
	}
}

func (a *assembly) addChanges() error {
	return (&secretchange.Reconciler{
		Client:      a.mgr.GetClient(),
		Fresh:       a.mgr.GetAPIReader(),
		Store:       a.store,
		Guard:       a.guard,
		Recorder:    a.mgr.GetEventRecorder(leaseName),
		Clock:       clock.RealClock{},
		Observer:    a.metrics,
		Concurrency: a.concurrency,
		Settings: change.Settings{
			Cluster: a.clusterName, Prefix: a.prefix, Region: a.region, Account: a.account,
			Identities: policy.NewIdentities(policy.Listed{
				SessionEnforcedRoles: a.sessionEnforcedRoles,
				ReviewingAccounts:    a.reviewingServiceAccounts,
				ProposingAccounts:    a.proposingServiceAccounts,
			}),
			RequireOwnerTag:  a.requireOwnerTag,
			ConsistencyGrace: a.consistencyGrace,
			ProjectGrace:     a.projectGrace,
			DecisionHolds:    a.renewDeadline,
			NewNonce:         cryptorand.Text,
		},
	}).SetupWithManager(a.mgr, a.guard.Subscribe())
}

// addProjects adds the inventory and those that live on it.
func (a *assembly) addProjects() error {
	settings := project.Settings{Cluster: a.clusterName, Prefix: a.prefix, Region: a.region, RequireOwnerTag: a.requireOwnerTag}
	suspects := &secretproject.Suspects{}
	watcher := secretproject.NewWatcher(a.mgr.GetClient(), clock.RealClock{}, settings, suspects)
	loop := &inventory.Loop{
		Store: a.store, Prefix: a.prefix, Interval: a.sweepInterval, OutageGrace: inventory.DefaultOutageGrace,
		Clock: clock.RealClock{}, Observer: a.metrics,
		OutageChanged: watcher.OutageChanged,
		Consumers: []inventory.Consumer{
			watcher,
			&inventory.Sweeper{
				Cache: a.mgr.GetClient(), Fresh: a.mgr.GetAPIReader(), Store: a.store, Guard: a.guard,
				Clock: clock.RealClock{}, Observer: a.metrics,
				Cluster: a.clusterName, Prefix: a.prefix, Grace: a.sweepGrace,
			},
			&trimmer.Trimmer{
				Client: a.mgr.GetClient(), Guard: a.guard, Recorder: a.mgr.GetEventRecorder(leaseName),
				Clock: clock.RealClock{}, Observer: a.metrics, Prefix: a.prefix, Settle: trim.DefaultSettle,
			},
		},
	}
	return errors.Join(
		a.mgr.Add(loop),
		(&secretproject.Reconciler{
			Client: a.mgr.GetClient(), Store: a.store, Guard: a.guard, Recorder: a.mgr.GetEventRecorder(leaseName),
			Clock: clock.RealClock{}, Settings: settings, Inventory: loop, Suspects: suspects, Concurrency: a.concurrency,
		}).SetupWithManager(a.mgr, watcher, a.guard.Subscribe()),
	)
}
