package factory

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/exit"
)

// NewKubeFlags returns kubectl's flags, without the one for a cache of
// discovery, which is not asked.
func NewKubeFlags() *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.CacheDir = nil
	return flags
}

// Scheme returns a scheme with everything that commands read and write.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, authenticationv1.AddToScheme, authorizationv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build the scheme: %w", err)
		}
	}
	return scheme, nil
}

// mapper says which resources the kinds are. It is fixed, so that a command
// asks the cluster for no discovery.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper(nil)
	for kind, scope := range map[string]meta.RESTScope{"SecretProject": meta.RESTScopeNamespace, "SecretChange": meta.RESTScopeNamespace} {
		m.Add(v1alpha1.GroupVersion.WithKind(kind), scope)
	}
	m.Add(authenticationv1.SchemeGroupVersion.WithKind("SelfSubjectReview"), meta.RESTScopeRoot)
	m.Add(authorizationv1.SchemeGroupVersion.WithKind("SelfSubjectAccessReview"), meta.RESTScopeRoot)
	return m
}

// Kube returns a client for the cluster that flags, configuration and
// kubeconfig name, under the field manager v1alpha1.FieldManager. Warnings of
// the API server go to ErrOut.
func (f *Factory) Kube() (client.WithWatch, error) {
	if f.kube != nil {
		return f.kube, nil
	}
	restConfig, err := f.restConfig()
	if err != nil {
		return nil, err
	}
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	kube, err := client.NewWithWatch(restConfig, client.Options{
		Scheme: scheme, Mapper: mapper(), FieldOwner: v1alpha1.FieldManager, FieldValidation: "Strict",
	})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	f.kube = kube
	return kube, nil
}

func (f *Factory) restConfig() (*rest.Config, error) {
	if err := f.applyContext(); err != nil {
		return nil, err
	}
	restConfig, err := f.KubeFlags.ToRESTConfig()
	if err != nil {
		return nil, badKubeconfig(err)
	}
	if err := secure(restConfig); err != nil {
		return nil, err
	}
	restConfig = rest.CopyConfig(restConfig)
	restConfig.Wrap(func(next http.RoundTripper) http.RoundTripper { return onlySecure{next} })
	// The server's priority and fairness bounds the calls.
	restConfig.QPS = -1
	restConfig.UserAgent = "sr/" + f.Version
	restConfig.WarningHandler = rest.NewWarningWriter(f.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	return restConfig, nil
}

func badKubeconfig(err error) error {
	return exit.Errorf(exit.Usage, "read the kubeconfig: %w: look at --kubeconfig, KUBECONFIG and --context (\"kubectl config get-contexts\" lists them)", err)
}

// Contexts returns the names of the kubeconfig's contexts, in order, and which
// is current.
func (f *Factory) Contexts() (names []string, current string, err error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = *f.KubeFlags.KubeConfig
	loaded, err := rules.Load()
	if err != nil {
		return nil, "", badKubeconfig(err)
	}
	return slices.Sorted(maps.Keys(loaded.Contexts)), loaded.CurrentContext, nil
}

// applyContext lets the configuration choose the kubeconfig's context.
func (f *Factory) applyContext() error {
	c, err := f.Config()
	if err != nil {
		return err
	}
	*f.KubeFlags.Context = c.Context
	return nil
}

// Namespace returns the namespace of flags, configuration or kubeconfig, else
// "default".
func (f *Factory) Namespace() (string, error) {
	c, err := f.Config()
	if err != nil {
		return "", err
	}
	if c.Namespace != "" {
		return c.Namespace, nil
	}
	if err := f.applyContext(); err != nil {
		return "", err
	}
	namespace, _, err := f.KubeFlags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return "", badKubeconfig(err)
	}
	return namespace, nil
}

// User returns the name by which the cluster knows the person.
func (f *Factory) User(ctx context.Context) (string, error) {
	info, err := f.UserInfo(ctx)
	return info.Username, err
}

// UserInfo returns all that the cluster knows of who the person is.
func (f *Factory) UserInfo(ctx context.Context) (authenticationv1.UserInfo, error) {
	kube, err := f.Kube()
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	review := &authenticationv1.SelfSubjectReview{}
	if err := kube.Create(ctx, review); err != nil {
		return authenticationv1.UserInfo{}, fmt.Errorf("ask the cluster who you are: %w", err)
	}
	return review.Status.UserInfo, nil
}

// May asks the cluster whether the person holds one of our verbs on the target:
// on every environment of its project, or on this one.
func (f *Factory) May(ctx context.Context, verb string, t *Target) (bool, error) {
	for _, subresource := range []string{"", t.Environment.Name} {
		may, err := f.MayDo(ctx, authorizationv1.ResourceAttributes{
			Namespace: t.Namespace, Verb: verb, Resource: "secretprojects", Subresource: subresource, Name: t.Project.Name,
		})
		if err != nil {
			return false, fmt.Errorf("ask the cluster whether you may %s %s: %w", verb, t, err)
		}
		if may {
			return true, nil
		}
	}
	return false, nil
}

// MayDo asks the cluster whether the person may do something to a resource of
// ours.
func (f *Factory) MayDo(ctx context.Context, what authorizationv1.ResourceAttributes) (bool, error) {
	kube, err := f.Kube()
	if err != nil {
		return false, err
	}
	what.Group = v1alpha1.GroupName
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &what}}
	if err := kube.Create(ctx, review); err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
