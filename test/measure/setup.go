package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster"
	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/install"
)

const (
	clusterName = "measured"
	namespace   = "team"
	project     = "api"
	region      = "us-east-1"

	pollInterval = 100 * time.Millisecond
	// patience is long: other work may have the machine.
	patience = 10 * time.Minute
	// firstLook is how long a manager that was just started may take to have looked at everything.
	firstLook = 30 * time.Second
)

// setup is everything, running.
type setup struct {
	dir, bin          string
	cluster           *cluster.Cluster
	emulator, manager *process.Process
	endpoint          string
	// metrics and health are where the manager serves them, scraper the token of who may read them.
	metrics, health, scraper string

	admin, alice, bob client.Client
	store             secretstore.Store
	environments      []string
}

func start(ctx context.Context, dir string, environments int) (*setup, error) {
	bin, err := cluster.BinDir()
	if err != nil {
		return nil, err
	}
	s := &setup{dir: dir, bin: bin}
	for i := range environments {
		s.environments = append(s.environments, fmt.Sprintf("environment-%02d", i))
	}
	for _, step := range []func(context.Context) error{s.startCluster, s.startEmulator, s.grant, s.startManager, s.createProject} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	return s, nil
}

// stop also works where not everything was started.
func (s *setup) stop() error {
	ctx := context.Background()
	var err error
	for _, p := range []*process.Process{s.manager, s.emulator} {
		if p != nil {
			err = errors.Join(err, p.Stop(ctx))
		}
	}
	if s.cluster != nil {
		err = errors.Join(err, s.cluster.Stop())
	}
	return err
}

func (s *setup) file(name string) string { return filepath.Join(s.dir, name) }

func (s *setup) startCluster(ctx context.Context) error {
	var err error
	if s.cluster, err = cluster.Start(ctx, cluster.Options{Dir: s.file("cluster")}); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	for config, who := range map[*rest.Config]*client.Client{
		s.cluster.AdminConfig(): &s.admin, s.cluster.UserConfig("alice"): &s.alice, s.cluster.UserConfig("bob"): &s.bob,
	} {
		if *who, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
			return err
		}
	}
	return install.Apply(ctx, s.cluster.AdminConfig(), install.Options{})
}

func (s *setup) startEmulator(ctx context.Context) error {
	address := s.file("emulator.address")
	var err error
	s.emulator, err = process.Start(process.Command{
		Name: "emulator", Path: filepath.Join(s.bin, "emulator"), LogFile: s.file("emulator.log"),
		Args: []string{"-region", region, "-address-file", address},
	})
	if err != nil {
		return err
	}
	err = s.until(ctx, s.emulator, func(context.Context) (bool, error) {
		content, err := os.ReadFile(address)
		s.endpoint = strings.TrimSpace(string(content))
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	s.store, err = aws.New(ctx, aws.Options{Region: region, EndpointURL: s.endpoint, WritesPerSecond: 1000,
		Credentials: &aws.StaticCredentials{AccessKeyID: "admin", SecretAccessKey: "x"}})
	return err
}

// until polls as long as a program runs.
func (s *setup) until(ctx context.Context, program *process.Process, done wait.ConditionWithContextFunc) error {
	return wait.PollUntilContextTimeout(ctx, pollInterval, patience, true, func(ctx context.Context) (bool, error) {
		if !program.Running() {
			return false, program.Exited()
		}
		return done(ctx)
	})
}

func (s *setup) grant(ctx context.Context) error {
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "scraper"}},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "scraper"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "secretreview-metrics-reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "scraper"}},
		},
	}
	for role, name := range map[string]string{"secretreview-proposer": "alice", "secretreview-approver": "bob"} {
		objects = append(objects, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
		})
	}
	for _, object := range objects {
		if err := s.admin.Create(ctx, object); err != nil {
			return err
		}
	}
	account, err := s.cluster.ServiceAccountConfig(ctx, namespace, "scraper")
	if err != nil {
		return err
	}
	s.scraper = account.BearerToken
	if account, err = s.cluster.ServiceAccountConfig(ctx, install.Namespace, install.ServiceAccount); err != nil {
		return err
	}
	return s.cluster.WriteKubeconfig(s.file("manager.kubeconfig"), cluster.Context{Name: "manager", Namespace: install.Namespace, Config: account})
}

// startManager starts it with the flags that it ships with, and returns when it is ready.
func (s *setup) startManager(ctx context.Context) error {
	metrics, err := freeAddress()
	if err != nil {
		return err
	}
	health, err := freeAddress()
	if err != nil {
		return err
	}
	s.metrics, s.health = "https://"+metrics+"/metrics", "http://"+health+"/readyz"
	s.manager, err = process.Start(process.Command{
		Name: "manager", Path: filepath.Join(s.bin, "manager"), LogFile: s.file("manager.log"),
		Args: []string{
			"--cluster-name=" + clusterName, "--metrics-bind-address=" + metrics, "--health-probe-bind-address=" + health,
			// A busy machine must not cost it its lease.
			"--lease-duration=100s", "--renew-deadline=90s",
		},
		Env: []string{
			"KUBECONFIG=" + s.file("manager.kubeconfig"), "POD_NAMESPACE=" + install.Namespace, "HOME=" + s.dir,
			"AWS_ENDPOINT_URL=" + s.endpoint, "AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=manager", "AWS_SECRET_ACCESS_KEY=x",
		},
	})
	if err != nil {
		return err
	}
	return s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.health, nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// restart stops the manager in good order, which lets go of its lease, and starts another, which looks at everything.
func (s *setup) restart(ctx context.Context) error {
	if err := s.manager.Stop(ctx); err != nil {
		return err
	}
	if err := s.startManager(ctx); err != nil {
		return err
	}
	return sleep(ctx, firstLook)
}

// createProject makes the live secrets and the project, and returns when it can be served.
func (s *setup) createProject(ctx context.Context) error {
	live, err := json.Marshal(values(keys))
	if err != nil {
		return err
	}
	p := &v1alpha1.SecretProject{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: project}}
	p.Spec.ConflictPolicy, p.Spec.PendingLimit = v1alpha1.ConflictByKey, ptr.To[int32](1000)
	for _, environment := range s.environments {
		p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{Name: environment})
		_, err := s.store.Create(ctx, secretstore.CreateInput{
			Name: naming.LiveSecret(naming.DefaultPrefix, project, environment), VersionID: uuid.NewString(), Value: sensitive.New(string(live)),
			Tags: map[string]string{naming.TagOwner: naming.Owner(clusterName, namespace)},
		})
		if err != nil {
			return err
		}
	}
	if err := s.admin.Create(ctx, p); err != nil {
		return err
	}
	return s.until(ctx, s.manager, func(ctx context.Context) (bool, error) {
		if err := s.admin.Get(ctx, client.ObjectKeyFromObject(p), p); err != nil {
			return false, err
		}
		return meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady), nil
	})
}
