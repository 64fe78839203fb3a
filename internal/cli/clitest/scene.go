package clitest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// What every scene is about.
const (
	ClusterName = "test-cluster"
	Project     = "backend-api"
	Production  = "production"
	KMSKey      = "arn:aws:kms:us-east-1:123456789012:key/0b4f8a52-1c35-4a56-9d3a-3f6a1e2b7c90"
	// pollInterval and pollTimeout bound waiting for the API server.
	pollInterval = 20 * time.Millisecond
	pollTimeout  = 30 * time.Second
)

// Scene is a namespace with a project of one environment, production, and an
// account in AWS that holds its live secret.
type Scene struct {
	*Env
	Namespace string
	Emulator  *emulator.Emulator
	// URL is where the emulator is served.
	URL string
	// Store is the account's administrator.
	Store secretstore.Store

	t testing.TB
}

// NewScene makes a Scene whose live secret has these values.
func (e *Env) NewScene(t testing.TB, live map[string]string) *Scene {
	t.Helper()
	s := &Scene{Env: e, t: t, Namespace: "scene-" + strings.ToLower(uuid.NewString()[:8]), Emulator: emulator.New(emulator.Options{})}
	server := httptest.NewServer(s.Emulator)
	t.Cleanup(server.Close)
	s.URL = server.URL
	var err error
	if s.Store, err = s.awsOf(t.Context(), "administrator"); err != nil {
		t.Fatal(err)
	}
	s.createObjects()
	s.CreateLive(Project, Production, live)
	s.ServeProject(s.project(), Production)
	s.Emulator.ResetCalls()
	return s
}

// CreateLive makes a live secret, encrypted with KMSKey.
func (s *Scene) CreateLive(project, environment string, values map[string]string) {
	s.t.Helper()
	if _, err := s.Store.Create(s.t.Context(), secretstore.CreateInput{
		Name:      naming.LiveSecret(naming.DefaultPrefix, project, environment),
		VersionID: uuid.NewString(), Value: Encode(s.t, values), KMSKeyID: KMSKey,
	}); err != nil {
		s.t.Fatal(err)
	}
}

// CreateAs makes a secret of any name that holds any text.
func (s *Scene) CreateAs(name, text string) {
	s.t.Helper()
	if _, err := s.Store.Create(s.t.Context(), secretstore.CreateInput{
		Name: name, VersionID: uuid.NewString(), Value: sensitive.New(text),
	}); err != nil {
		s.t.Fatal(err)
	}
}

// ServeProject writes the status that the controller writes once it has seen a
// project with one environment.
func (s *Scene) ServeProject(project *v1alpha1.SecretProject, environment string) {
	s.t.Helper()
	secret, err := s.Store.Describe(s.t.Context(), naming.LiveSecret(naming.DefaultPrefix, project.EffectiveProjectName(), environment))
	if err != nil {
		s.t.Fatal(err)
	}
	project.Status = v1alpha1.SecretProjectStatus{
		ObservedGeneration: project.Generation,
		Region:             s.Emulator.Region(), Prefix: naming.DefaultPrefix, ClusterName: ClusterName,
		Environments: []v1alpha1.EnvironmentStatus{{
			Name: environment, SecretName: secret.Name, SecretARN: secret.ARN, KMSKeyID: secret.KMSKeyID, LiveVersionID: secret.Current(),
		}},
	}
	s.writeStatus(project)
}

// EmptyLive makes the live secret anew, without a version.
func (s *Scene) EmptyLive() {
	s.t.Helper()
	s.DeleteLive(0)
	if _, err := s.Store.Create(s.t.Context(), secretstore.CreateInput{Name: s.LiveName(), KMSKeyID: KMSKey}); err != nil {
		s.t.Fatal(err)
	}
	s.ServeProject(s.project(), Production)
}

func (s *Scene) project() *v1alpha1.SecretProject {
	s.t.Helper()
	project := &v1alpha1.SecretProject{}
	if err := s.Admin.Get(s.t.Context(), client.ObjectKey{Namespace: s.Namespace, Name: Project}, project); err != nil {
		s.t.Fatal(err)
	}
	return project
}

// LiveName is the live secret's name.
func (s *Scene) LiveName() string {
	return naming.LiveSecret(naming.DefaultPrefix, Project, Production)
}

func (s *Scene) createObjects() {
	s.t.Helper()
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.Namespace}},
		&v1alpha1.SecretProject{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: Project},
			Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: Production}}},
		},
	}
	for role, people := range map[string][]string{"secretreview-proposer": {Alice}, "secretreview-approver": {Bob, Carol}} {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		}
		for _, name := range people {
			binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name})
		}
		objects = append(objects, binding)
	}
	for _, object := range objects {
		if err := s.Admin.Create(s.t.Context(), object); err != nil {
			s.t.Fatalf("cannot create %T: %v", object, err)
		}
	}
	for person, verb := range map[string]string{Alice: v1alpha1.VerbPropose, Bob: v1alpha1.VerbApprove, Carol: v1alpha1.VerbApprove} {
		s.awaitRight(person, verb)
	}
}

// Bind gives a person a role in the namespace, and waits for the verb that it has.
func (s *Scene) Bind(person, role, verb string) {
	s.t.Helper()
	err := s.Admin.Create(s.t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: role + "-" + person},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: person}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.awaitRight(person, verb)
}

// awaitRight waits until the API server's authorizer has heard of a binding.
func (s *Scene) awaitRight(person, verb string) {
	s.t.Helper()
	err := s.Cluster.AwaitRight(s.t.Context(), person, authorizationv1.ResourceAttributes{
		Namespace: s.Namespace, Verb: verb, Group: v1alpha1.GroupName, Resource: "secretprojects", Name: Project,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// UpdateProject changes the project's spec and status, as an administrator and
// the controller would.
func (s *Scene) UpdateProject(change func(*v1alpha1.SecretProject)) {
	s.t.Helper()
	project := s.project()
	change(project)
	status := project.Status
	if err := s.Admin.Update(s.t.Context(), project); err != nil {
		s.t.Fatal(err)
	}
	project.Status = status
	s.writeStatus(project)
}

// SetStatus writes a change's status as the controller would.
func (s *Scene) SetStatus(change *v1alpha1.SecretChange, status v1alpha1.SecretChangeStatus) {
	s.t.Helper()
	change.Status = status
	s.writeStatus(change)
}

// writeStatus writes as the one account that the policies let write status.
func (s *Scene) writeStatus(object client.Object) {
	s.t.Helper()
	config := s.Cluster.AdminConfig()
	config.Impersonate.UserName = "system:serviceaccount:secretreview-system:secretreview-manager"
	config.Impersonate.Groups = []string{"system:masters"}
	manager, err := client.New(config, client.Options{Scheme: s.Admin.Scheme()})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := manager.Status().Update(s.t.Context(), object); err != nil {
		s.t.Fatal(err)
	}
}

// SetLive makes values live, past all review, and returns their version.
func (s *Scene) SetLive(values map[string]string) string {
	s.t.Helper()
	return s.SetLiveText(Encode(s.t, values).Reveal())
}

// SetLiveText makes any text live.
func (s *Scene) SetLiveText(text string) string {
	s.t.Helper()
	id := uuid.NewString()
	if err := s.Store.Put(s.t.Context(), secretstore.PutInput{
		ID: s.LiveName(), VersionID: id, Value: sensitive.New(text), Labels: []string{secretstore.LabelCurrent},
	}); err != nil {
		s.t.Fatal(err)
	}
	s.UpdateProject(func(p *v1alpha1.SecretProject) { p.Status.Environments[0].LiveVersionID = id })
	return id
}

// DeleteLive deletes the live secret, at once or after a recovery window.
func (s *Scene) DeleteLive(recoveryDays int) {
	s.t.Helper()
	if err := s.Store.Delete(s.t.Context(), secretstore.DeleteInput{ID: s.LiveName(), RecoveryDays: recoveryDays}); err != nil {
		s.t.Fatal(err)
	}
}

// Live returns the live version's id.
func (s *Scene) Live() string {
	s.t.Helper()
	version, err := s.Store.Get(s.t.Context(), secretstore.GetInput{ID: s.LiveName()})
	if err != nil {
		s.t.Fatal(err)
	}
	return version.VersionID
}

// Staged returns all staged secrets.
func (s *Scene) Staged() []emulator.SecretState {
	var staged []emulator.SecretState
	for _, secret := range s.Emulator.Secrets() {
		if strings.HasPrefix(secret.Name, naming.StagingPrefix(naming.DefaultPrefix)) {
			staged = append(staged, secret)
		}
	}
	return staged
}

// StagedPatch returns what the one staged document of the scene changes.
func (s *Scene) StagedPatch() document.Patch {
	s.t.Helper()
	staged := s.Staged()
	if len(staged) != 1 {
		s.t.Fatalf("there are %d staged secrets", len(staged))
	}
	parsed, err := document.ParseStaged(staged[0].Versions[0].Value)
	if err != nil {
		s.t.Fatal(err)
	}
	return parsed.Patch
}

// Reveal makes a document comparable.
func Reveal(d document.Document) map[string]string {
	plain := map[string]string{}
	for key, value := range d {
		plain[key] = value.Reveal()
	}
	return plain
}

// Changes returns all changes of the scene.
func (s *Scene) Changes() []v1alpha1.SecretChange {
	s.t.Helper()
	var list v1alpha1.SecretChangeList
	if err := s.Admin.List(s.t.Context(), &list, client.InNamespace(s.Namespace)); err != nil {
		s.t.Fatal(err)
	}
	return list.Items
}

// Operations returns the names of the calls that were made to AWS, each once,
// however often the SDK had to try.
func (s *Scene) Operations() []string {
	var names []string
	for _, call := range emulator.Invocations(s.Emulator.Calls()) {
		names = append(names, call.Operation)
	}
	return names
}

// awsOf connects as a user whose access key is their name.
func (s *Scene) awsOf(ctx context.Context, user string) (*aws.Adapter, error) {
	return aws.New(ctx, aws.Options{
		Region: s.Emulator.Region(), EndpointURL: s.URL, MaxBackoff: time.Millisecond,
		Credentials: &aws.StaticCredentials{AccessKeyID: user, SecretAccessKey: "unused"},
	})
}

// Encode writes values as a live secret holds them.
func Encode(t testing.TB, values map[string]string) sensitive.Value {
	t.Helper()
	d := document.Document{}
	for key, value := range values {
		d[key] = sensitive.New(value)
	}
	encoded, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func poll(ctx context.Context, done func() bool) error {
	err := wait.PollUntilContextTimeout(ctx, pollInterval, pollTimeout, true, func(context.Context) (bool, error) { return done(), nil })
	if err != nil {
		return fmt.Errorf("waited in vain: %w", err)
	}
	return nil
}
