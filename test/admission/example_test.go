package admission

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster"
)

// example is the manifests that docs/multi-tenancy.md explains.
const example = "examples/team"

var _ = Describe("the example of a team", Ordered, func() {
	// member returns a client of somebody in a group.
	member := func(name, group string) client.Client {
		GinkgoHelper()
		c, err := client.New(server.UserConfig(name, group), client.Options{Scheme: scheme, Mapper: mapper})
		Expect(err).NotTo(HaveOccurred())
		return c
	}
	const namespace = "backend"
	var developer, colleague, lead, onCall, platform, owner, stranger client.Client

	BeforeAll(func(ctx context.Context) {
		for _, file := range []string{"platform.yaml", "backend.yaml", "delegated.yaml"} {
			for _, object := range manifests(file) {
				Expect(admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"))).To(Succeed(), object.GetName())
			}
		}
		developer, colleague = member("dora", "backend-developers"), member("dan", "backend-developers")
		lead, onCall, platform = member("lea", "backend-leads"), member("otto", "backend-on-call"), member("pat", "platform")
		owner, stranger = member("olga", "backend-owners"), member("sam", "shop-developers")
		// The last of the bindings stands for all.
		Eventually(func(g Gomega) {
			for group, verb := range map[string]string{"backend-developers": "approve", "backend-on-call": "rollback", "platform": "administer", "backend-owners": "administer"} {
				name, in, subresource := namespace+"/backend-api", "", ""
				if verb != "administer" {
					name, in, subresource = "backend-api", namespace, "dev"
				}
				if verb == "rollback" {
					subresource = ""
				}
				ask := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: "x", Groups: []string{group},
					ResourceAttributes: &authorizationv1.ResourceAttributes{
						Namespace: in, Group: v1alpha1.GroupName, Resource: "secretprojects", Subresource: subresource, Name: name, Verb: verb,
					}}}
				g.Expect(admin.Create(ctx, ask)).To(Succeed())
				g.Expect(ask.Status.Allowed).To(BeTrue(), group)
			}
		}).Should(Succeed())
	})

	change := func(proposer, environment string) *v1alpha1.SecretChange {
		c := edit(proposer, environment)
		c.Namespace = namespace
		return c
	}
	// approve adds an approval as its reviewer.
	approve := func(ctx context.Context, who client.Client, name string, c *v1alpha1.SecretChange) error {
		patch := fmt.Sprintf(`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":%q,"verdict":"Approved"}}]`, name)
		return who.Patch(ctx, c.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(patch)))
	}

	It("lets developers propose everywhere, and review each other in dev alone", func(ctx context.Context) {
		dev, production := change("dora", development), change("dora", production)
		Expect(developer.Create(ctx, dev)).To(Succeed())
		Expect(developer.Create(ctx, production)).To(Succeed())
		Expect(approve(ctx, colleague, "dan", dev)).To(Succeed())
		Expect(answer(approve(ctx, colleague, "dan", production))).To(Equal(refused))
		Expect(approve(ctx, lead, "lea", production)).To(Succeed())
		Expect(approve(ctx, lead, "lea", dev)).To(Succeed())
	})

	It("lets leads review, and not propose", func(ctx context.Context) {
		Expect(answer(lead.Create(ctx, change("lea", production)))).To(Equal(noRight))
	})

	It("lets who is on call go back alone, and propose nothing else", func(ctx context.Context) {
		back := rollback("otto", production)
		back.Namespace = namespace
		Expect(onCall.Create(ctx, reviewed(back, approved("otto")))).To(Succeed())
		Expect(answer(onCall.Create(ctx, change("otto", production)))).To(Equal(refused))
	})

	It("leaves the policy to the platform team and to the project's owners", func(ctx context.Context) {
		for name, who := range map[string]client.Client{"dora": developer, "lea": lead, "otto": onCall, "sam": stranger} {
			Expect(answer(lower(ctx, who))).To(Equal(noRight), name)
		}
		Expect(lower(ctx, platform)).To(Succeed())
		Expect(lower(ctx, owner)).To(Succeed())
		other := newProject()
		other.Namespace = namespace
		Expect(answer(owner.Create(ctx, other))).To(Equal(refused), "of one project alone")
		Expect(platform.Create(ctx, other)).To(Succeed())
		Expect(platform.Delete(ctx, other)).To(Succeed())
	})

	It("keeps others out, and history in", func(ctx context.Context) {
		Expect(answer(stranger.Create(ctx, change("sam", development)))).To(Equal(noRight))
		Expect(answer(stranger.List(ctx, &v1alpha1.SecretChangeList{}, client.InNamespace(namespace)))).To(Equal(noRight))
		finished := change("dora", development)
		Expect(developer.Create(ctx, finished)).To(Succeed())
		in(ctx, v1alpha1.PhaseApplied, finished)
		for name, who := range map[string]client.Client{"dora": developer, "pat": platform} {
			Expect(answer(who.Delete(ctx, finished.DeepCopy()))).To(Equal(refused), name)
		}
	})
})

// lower has somebody ask for fewer approvals.
func lower(ctx context.Context, who client.Client) error {
	p := &v1alpha1.SecretProject{}
	p.Namespace, p.Name = "backend", "backend-api"
	return who.Patch(ctx, p, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"suspend":true}}`)), client.DryRunAll)
}

// manifests are the objects in one of the example's files.
func manifests(file string) []*unstructured.Unstructured {
	GinkgoHelper()
	root, err := cluster.RepositoryRoot()
	Expect(err).NotTo(HaveOccurred())
	content, err := os.ReadFile(filepath.Join(root, example, file))
	Expect(err).NotTo(HaveOccurred())
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(string(content)), len(content))
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			Expect(objects).NotTo(BeEmpty())
			return objects
		}
		Expect(err).NotTo(HaveOccurred())
		objects = append(objects, object)
	}
}
