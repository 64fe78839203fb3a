package world

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

// People of a team that says nothing else.
const (
	Alice = "alice" // proposes
	Bob   = "bob"   // approves
	Carol = "carol" // approves
	Eve   = "eve"   // has no right in any team
)

// Production is the environment of a team that says nothing else.
const Production = "production"

// Options describe a team.
type Options struct {
	// Project is the project's name, by default one that no other team has.
	Project string
	// Policy changes the project before it is created. It has the environment Production alone.
	Policy func(*v1alpha1.SecretProjectSpec)
	// Live are the values of Production's live secret; nil makes no live secret.
	Live map[string]string
	// Proposers and Approvers default to Alice, and to Bob and Carol.
	Proposers, Approvers []string
	// Rollbackers may go back without anybody else.
	Rollbackers []string
	// Auditors may look, in the cluster and at what AWS tells of the live secret beside its values.
	Auditors []string
	// Beside puts the project into another team's namespace, with that team's people.
	Beside *Team
	// Prepare runs before the project is created.
	Prepare func(*Team)
	// Unready does not wait until the project is ready.
	Unready bool
}

// Team is a namespace with a project and the people who work on it.
type Team struct {
	*World
	Namespace string
	// Project is the project's name, in Kubernetes and in AWS.
	Project string

	proposers, approvers, rollbackers, auditors []string
}

// NewTeam makes a Team with names of its own.
func (w *World) NewTeam(o Options) *Team {
	ginkgo.GinkgoHelper()
	id := strings.ToLower(uuid.NewString()[:8])
	t := &Team{World: w, Namespace: "team-" + id, Project: "api-" + id, proposers: o.Proposers, approvers: o.Approvers, rollbackers: o.Rollbackers, auditors: o.Auditors}
	if o.Project != "" {
		t.Project = o.Project
	}
	if t.proposers == nil {
		t.proposers = []string{Alice}
	}
	if t.approvers == nil {
		t.approvers = []string{Bob, Carol}
	}
	if o.Beside != nil {
		t.Namespace, t.proposers, t.approvers = o.Beside.Namespace, o.Beside.proposers, o.Beside.approvers
	}
	w.teams = append(w.teams, t)
	for _, name := range slices.Concat([]string{Eve}, t.proposers, t.approvers, t.rollbackers, t.auditors) {
		w.Person(name)
	}
	w.AWS.setPrincipals(w.principals())
	if o.Live != nil {
		t.CreateLive(Production, o.Live)
	}
	if o.Prepare != nil {
		o.Prepare(t)
	}
	project := &v1alpha1.SecretProject{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "SecretProject"},
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Project},
		Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: Production}}},
	}
	if o.Policy != nil {
		o.Policy(&project.Spec)
	}
	w.Apply(append(t.access(), project)...)
	if !o.Unready {
		t.AwaitReady()
	}
	return t
}

// access is the namespace and who has which of the roles that are shipped.
func (t *Team) access() []client.Object {
	objects := []client.Object{&corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}, ObjectMeta: metav1.ObjectMeta{Name: t.Namespace},
	}}
	for role, people := range map[string][]string{
		"secretreview-proposer": t.proposers, "secretreview-approver": t.approvers, "secretreview-rollbacker": t.rollbackers,
		"secretreview-viewer": t.auditors,
	} {
		objects = append(objects, t.binding(role, people...))
	}
	return objects
}

func (t *Team) binding(role string, people ...string) *rbacv1.RoleBinding {
	binding := &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
	for _, name := range people {
		binding.Subjects = append(binding.Subjects, user(name))
	}
	return binding
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}
}

func clusterBinding(role string, subject rbacv1.Subject) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"},
		ObjectMeta: metav1.ObjectMeta{Name: role},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{subject},
	}
}

// Apply has the administrator apply objects, whose kinds are set.
func (w *World) Apply(objects ...client.Object) {
	ginkgo.GinkgoHelper()
	list := struct {
		metav1.TypeMeta
		Items []client.Object `json:"items"`
	}{metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, objects}
	manifest, err := json.Marshal(list)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	result := w.Person(Admin).Shell().Feed(string(manifest), "kubectl", "apply", "--server-side", "-f", "-")
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Err)
}

// Admin has the administrator run kubectl in the team's namespace, which must succeed, and returns its output.
func (t *Team) Admin(args ...string) string {
	ginkgo.GinkgoHelper()
	result := t.Person(Admin).Shell().Kubectl(append([]string{"-n", t.Namespace}, args...)...)
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Command+"\n"+result.Err)
	return result.Out
}

// AwaitReady waits until the manager says that the project can be served.
func (t *Team) AwaitReady() {
	ginkgo.GinkgoHelper()
	t.Admin("wait", "sproj/"+t.Project, "--for=condition=Ready", "--timeout="+Patience.String())
}

// PatchProject has the administrator change the project's spec, by a JSON merge patch.
func (t *Team) PatchProject(spec string) {
	ginkgo.GinkgoHelper()
	t.Admin("patch", "sproj/"+t.Project, "--type=merge", "-p", `{"spec":`+spec+`}`)
}

// As returns somebody's Shell in a directory that says which project it is about.
func (t *Team) As(name string) *Shell {
	ginkgo.GinkgoHelper()
	s := t.Person(name).Shell()
	about, err := json.Marshal(map[string]string{"project": t.Project, "environment": Production, "namespace": t.Namespace})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	s.Write(".sr.json", string(about))
	return s
}

// LiveName is the name in AWS of an environment's live secret.
func (t *Team) LiveName(environment string) string {
	return naming.LiveSecret(naming.DefaultPrefix, t.Project, environment)
}

// StagedName is the name in AWS of a change's staged secret.
func (t *Team) StagedName(change string) string {
	return naming.StagedSecret(naming.DefaultPrefix, t.Project, change)
}

// CreateLive makes a live secret as a platform team would, with a KMS key of its own and the tag of its owner.
func (t *Team) CreateLive(environment string, values map[string]string) {
	ginkgo.GinkgoHelper()
	t.CreateLiveText(environment, encode(values))
}

// CreateLiveText makes a live secret that holds any text.
func (t *Team) CreateLiveText(environment, text string) {
	ginkgo.GinkgoHelper()
	t.Account().Must("CreateSecret", map[string]any{
		"Name": t.LiveName(environment), "SecretString": text, "KmsKeyId": t.key(), "ClientRequestToken": uuid.NewString(),
		"Tags": []map[string]string{{"Key": naming.TagOwner, "Value": naming.Owner(ClusterName, t.Namespace)}},
	})
}

// SetOwner writes the tag that says whom a live secret belongs to.
func (t *Team) SetOwner(environment, owner string) {
	ginkgo.GinkgoHelper()
	t.Account().Must("TagResource", map[string]any{
		"SecretId": t.LiveName(environment), "Tags": []map[string]string{{"Key": naming.TagOwner, "Value": owner}},
	})
}

// SetLive makes values live past all review, and returns their version.
func (t *Team) SetLive(environment string, values map[string]string) string {
	ginkgo.GinkgoHelper()
	id := uuid.NewString()
	t.Account().Must("PutSecretValue", map[string]any{
		"SecretId": t.LiveName(environment), "SecretString": encode(values), "ClientRequestToken": id,
	})
	return id
}

// Account is that of AWS's administrator.
func (w *World) Account() Account { return w.AWS.As(Admin) }

// Live is what an environment's live secret holds, and the id of that version.
func (t *Team) Live(environment string) (values map[string]string, version string) {
	ginkgo.GinkgoHelper()
	out := t.Account().Must("GetSecretValue", map[string]any{"SecretId": t.LiveName(environment), "VersionStage": "AWSCURRENT"})
	text, _ := out["SecretString"].(string)
	gomega.Expect(json.Unmarshal([]byte(text), &values)).To(gomega.Succeed())
	version, _ = out["VersionId"].(string)
	return values, version
}

// LiveValues is what Production's live secret holds.
func (t *Team) LiveValues() map[string]string {
	ginkgo.GinkgoHelper()
	values, _ := t.Live(Production)
	return values
}

// SecretState returns what is known of a secret by its name, nil if there is none.
func (w *World) SecretState(name string) *emulator.SecretState {
	ginkgo.GinkgoHelper()
	for _, secret := range w.AWS.Secrets() {
		if secret.Name == name {
			return &secret
		}
	}
	return nil
}

// Staged are the names of all staged secrets of the project that are not deleted.
func (t *Team) Staged() []string {
	ginkgo.GinkgoHelper()
	names := []string{}
	for _, secret := range t.AWS.Secrets() {
		if strings.HasPrefix(secret.Name, t.StagedName("")) && secret.DeletedAt.IsZero() {
			names = append(names, secret.Name)
		}
	}
	return names
}

func encode(values map[string]string) string {
	ginkgo.GinkgoHelper()
	text, err := json.Marshal(values)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return string(text)
}
