package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

const (
	// verifyPatience suits an installation that has just begun: a leader has to be elected.
	verifyPatience = time.Minute
	verifyInterval = time.Second
)

// verification looks at an installation as its manager would, and changes nothing.
type verification struct {
	*options
	client client.Client
	clock  clock.PassiveClock
}

// verifyCommand is what `helm test` runs.
func verifyCommand(environment func(string) (string, bool)) *cobra.Command {
	o := defaults(environment)
	patience := verifyPatience
	c := &cobra.Command{
		Use:   "verify",
		Short: "Looks whether an installation works: admission policies, leader, AWS; with the manager's own flags and account",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			v, err := newVerification(o)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), patience)
			defer cancel()
			return v.run(ctx, c.OutOrStdout())
		},
	}
	o.bind(c.Flags())
	c.Flags().DurationVar(&patience, "patience", patience, "how long to wait for what is not yet as it should be")
	return c
}

func newVerification(o *options) (*verification, error) {
	ctrl.SetLogger(logr.Discard())
	config, err := ctrlconfig.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("no cluster is known: run in a pod, or set --kubeconfig or KUBECONFIG: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register the API's types: %w", err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("cannot make a client of the cluster: %w", err)
	}
	return &verification{options: o, client: c, clock: clock.RealClock{}}, nil
}

// run tries every check, and waits for each until ctx ends.
func (v *verification) run(ctx context.Context, out io.Writer) error {
	var failed []error
	for _, check := range []struct {
		name string
		look func(context.Context) (string, error)
	}{
		{"admission policies", v.policies},
		{"leader", v.leader},
		{"AWS", v.aws},
	} {
		seen, err := patiently(ctx, check.look)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", check.name, err))
			seen = "FAILED: " + err.Error()
		}
		fmt.Fprintf(out, "%s: %s\n", check.name, seen)
	}
	return errors.Join(failed...)
}

// patiently looks again until it likes what it sees. It always looks once.
func patiently(ctx context.Context, look func(context.Context) (string, error)) (seen string, last error) {
	_ = wait.PollUntilContextCancel(ctx, verifyInterval, true, func(context.Context) (bool, error) {
		// A look that has begun may end, so that what it says is not that time was up.
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyPatience)
		defer cancel()
		seen, last = look(limited)
		return last == nil, nil
	})
	return seen, last
}

func (v *verification) policies(ctx context.Context) (string, error) {
	var self authenticationv1.SelfSubjectReview
	if err := v.client.Create(ctx, &self); err != nil {
		return "", fmt.Errorf("cannot learn the own user name from the API server: %w", err)
	}
	g, err := guard.New(guard.Config{
		Options: v.guardOptions(self.Status.UserInfo.Username), Namespace: v.namespace, Client: v.client, Reader: v.client,
	})
	if err != nil {
		return "", err
	}
	weakness, err := g.Weakness(ctx)
	if err != nil {
		return "", err
	}
	if weakness != "" {
		return "", errors.New(weakness)
	}
	return "in force, as shipped: a forged change is refused", nil
}

func (v *verification) leader(ctx context.Context) (string, error) {
	var lease coordinationv1.Lease
	if err := v.client.Get(ctx, client.ObjectKey{Namespace: v.namespace, Name: leaseName}, &lease); err != nil {
		return "", fmt.Errorf("cannot read the managers' lease: %w", err)
	}
	holder := ptr.Deref(lease.Spec.HolderIdentity, "")
	if holder == "" || lease.Spec.RenewTime == nil {
		return "", errors.New("no manager leads: look at the pods of the Deployment and their logs")
	}
	since := v.clock.Since(lease.Spec.RenewTime.Time).Round(time.Second)
	if limit := time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, 0)) * time.Second; since > limit {
		return "", fmt.Errorf("the leader %s has not renewed its lease for %s: look at its log", holder, since)
	}
	return holder + " leads", nil
}

func (v *verification) aws(ctx context.Context) (string, error) {
	adapter, account, err := openAWS(ctx, v.options, nil)
	if err != nil {
		return "", err
	}
	secrets, err := adapter.List(ctx, v.prefix)
	if err != nil {
		return "", fmt.Errorf("cannot list the secrets %s*: %w", v.prefix, err)
	}
	return fmt.Sprintf("account %s, region %s, %d secrets under %s", account, adapter.Region(), len(secrets), v.prefix), nil
}
