// Package install puts secretreview's manifests onto a cluster for tests and for the local cluster: policies, CRDs,
// roles, the manager's namespace and ServiceAccount, but not its Deployment.
package install

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/config"
	"github.com/secretreview/secretreview/internal/guard"
)

const (
	// Namespace is the manager's namespace.
	Namespace = "secretreview-system"
	// ServiceAccount is the manager's account in Namespace.
	ServiceAccount = "secretreview-manager"

	fieldManager = "secretreview-install"
	pollInterval = 100 * time.Millisecond
	// enforceTimeout is far above the few seconds that an API server takes.
	enforceTimeout = 2 * time.Minute
)

// Options say what to install.
type Options struct {
	// Guard holds the names that are written into the policies.
	Guard guard.Options
	// WithoutProposer leaves out the policy that fills in spec.proposedBy, also where the cluster could have it.
	WithoutProposer bool
}

// Apply installs everything, policies first, and returns when the CRDs are served and the identity policy is enforced.
// config must be a cluster administrator's. It may be applied again, and puts right what was changed meanwhile; it gives
// up when ctx ends, or two minutes after the last object is stored.
func Apply(ctx context.Context, restConfig *rest.Config, options Options) error {
	c, err := newClient(restConfig)
	if err != nil {
		return err
	}
	expected, err := guard.Expect(options.Guard)
	if err != nil {
		return err
	}
	for _, object := range expected.Objects() {
		if err := replace(ctx, c, object); err != nil {
			return err
		}
	}
	rest, err := others()
	if err != nil {
		return err
	}
	proposer, err := proposerPolicy(c, options)
	if err != nil {
		return err
	}
	for _, object := range append(rest, proposer...) {
		if err := apply(ctx, c, object); err != nil {
			return err
		}
	}
	return waitUntilEnforced(ctx, c)
}

// Objects returns what Apply installs on every cluster, in order: policies, CRDs, the manager's namespace and account,
// roles.
func Objects(options Options) ([]*unstructured.Unstructured, error) {
	expected, err := guard.Expect(options.Guard)
	if err != nil {
		return nil, err
	}
	rest, err := others()
	return append(expected.Objects(), rest...), err
}

// others are the objects that the guard does not look after.
func others() ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	manager, err := config.Objects(config.ManagerDir)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"Namespace", "ServiceAccount"} {
		for _, object := range manager {
			if object.GetKind() == kind {
				objects = append(objects, object)
			}
		}
	}
	roles, err := config.Objects(config.RBACDir)
	return append(objects, roles...), err
}

// proposerPolicy returns the objects that need MutatingAdmissionPolicy, or none where the cluster does not serve it.
func proposerPolicy(c client.Client, options Options) ([]*unstructured.Unstructured, error) {
	if options.WithoutProposer {
		return nil, nil
	}
	kind := schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}
	_, err := c.RESTMapper().RESTMapping(kind, "v1")
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot learn whether the cluster serves MutatingAdmissionPolicy: %w", err)
	}
	return config.Objects(config.ProposerDir)
}

func apply(ctx context.Context, c client.Client, object *unstructured.Unstructured) error {
	configuration := client.ApplyConfigurationFromUnstructured(object)
	if err := c.Apply(ctx, configuration, client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("cannot apply %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// replace makes the spec exactly what it has to be: applying would leave what others have added to it.
func replace(ctx context.Context, c client.Client, object *unstructured.Unstructured) error {
	present := &unstructured.Unstructured{}
	present.SetGroupVersionKind(object.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKeyFromObject(object), present)
	if apierrors.IsNotFound(err) {
		err = c.Create(ctx, object)
	} else if err == nil {
		present.Object["spec"] = object.Object["spec"]
		err = c.Update(ctx, present)
	}
	if err != nil {
		return fmt.Errorf("cannot replace %s %s: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// WaitUntilEnforced returns when the API server enforces the identity policy, for those who have installed by other means. It
// gives up when ctx ends, or after two minutes.
func WaitUntilEnforced(ctx context.Context, restConfig *rest.Config) error {
	c, err := newClient(restConfig)
	if err != nil {
		return err
	}
	return waitUntilEnforced(ctx, c)
}

func newClient(restConfig *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("cannot register the API's types: %w", err)
	}
	c, err := client.New(restConfig, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("cannot make a client: %w", err)
	}
	return c, nil
}

// waitUntilEnforced tries a forged change until the identity policy refuses it: the API server begins to serve CRDs and
// to enforce policies some time after they are stored. It does not return before the first epoch can have begun.
func waitUntilEnforced(ctx context.Context, c client.Client) error {
	if err := waitForFirstEpoch(ctx, c); err != nil {
		return err
	}
	trial := guard.Trial{Client: c, Namespace: Namespace}
	answer := "it was accepted"
	err := wait.PollUntilContextTimeout(ctx, pollInterval, enforceTimeout, true, func(ctx context.Context) (bool, error) {
		err := trial.Forge(ctx)
		if err != nil {
			answer = err.Error()
		}
		return guard.Refused(err), nil
	})
	if err != nil {
		return fmt.Errorf("the identity policy is not enforced: a forged change got the answer %q last: %w", answer, err)
	}
	return nil
}

// waitForFirstEpoch returns when a change that is created from now on counts as one that the policies have judged.
func waitForFirstEpoch(ctx context.Context, c client.Client) error {
	expected, err := guard.Expect(guard.Options{})
	if err != nil {
		return err
	}
	var newest time.Time
	for _, ref := range expected.Refs() {
		object := &unstructured.Unstructured{}
		object.SetGroupVersionKind(ref.GroupVersionKind)
		if err := c.Get(ctx, client.ObjectKey{Name: ref.Name}, object); err != nil {
			return fmt.Errorf("cannot read the installed %s: %w", ref, err)
		}
		if made := object.GetCreationTimestamp().Time; made.After(newest) {
			newest = made
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(newest.Add(guard.EnforcementDelay))):
		return nil
	}
}
