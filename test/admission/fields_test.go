package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/guard"
)

// field is a string in a schema: keys of objects, and "-" for the first of a list.
type field struct {
	path   []string
	schema apiextensionsv1.JSONSchemaProps
}

func (f field) String() string { return strings.Join(f.path, ".") }

// strings of a schema, as they can be written by people.
func stringsOf(schema apiextensionsv1.JSONSchemaProps, path ...string) []field {
	var all []field
	switch schema.Type {
	case "string":
		return []field{{slices.Clone(path), schema}}
	case "array":
		return stringsOf(*schema.Items.Schema, append(path, "-")...)
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		all = append(all, stringsOf(schema.Properties[name], append(slices.Clone(path), name)...)...)
	}
	return all
}

// with returns an object with a text in a field.
func (f field) with(object map[string]any, text string) {
	at := any(object)
	for i, step := range f.path {
		last := i == len(f.path)-1
		switch container := at.(type) {
		case map[string]any:
			if last {
				container[step] = text
				return
			}
			at = container[step]
		case []any:
			if last {
				container[0] = text
				return
			}
			at = container[0]
		}
	}
}

var _ = Describe("every string that the schemas have", func() {
	// unlimited is what a field takes at most that says nothing: an enumeration, or a pattern of its own.
	const unlimited = 1024
	hostile := map[string]string{
		"terminal escapes": "\x1b[2J\x1b]0;t\x07\u009b31m", "NUL": "a\x00b", "newlines": "a\r\nb\u2028c", "direction overrides": "\u202ea\u2066",
		"HTML": "<script>alert(1)</script>&amp;", "a shell's": "$(id) `id`; rm -rf ~ '\"\\", "what nobody sees": "\ufeff\u200b\u00ad", "emptiness": "",
		"a path": "../../etc/passwd", "a format": "%s%n{{.}}", "a number": "1e309",
	}
	// attempt creates an object and reports whether it was accepted. A server that fails is a failure.
	attempt := func(ctx context.Context, user, kind string, spec map[string]any) (bool, *unstructured.Unstructured) {
		GinkgoHelper()
		object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
		object.SetNamespace(team)
		object.SetName(unique("field"))
		err := as(user).Create(ctx, object)
		if err == nil {
			return true, object
		}
		Expect(apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err)).To(BeTrue(), "%v", err)
		return false, nil
	}
	specOf := func(object any) map[string]any {
		GinkgoHelper()
		text, err := json.Marshal(object)
		Expect(err).NotTo(HaveOccurred())
		var content map[string]any
		Expect(json.Unmarshal(text, &content)).To(Succeed())
		return content["spec"].(map[string]any)
	}
	for kind, tc := range map[string]struct {
		crd   string
		user  string
		bases []func() any
	}{
		// The applier, who may name anybody, so that the schema decides.
		"SecretChange": {"secretchanges.secretreview.dev", argo, []func() any{
			func() any { return reviewed(edit(alice, production), approved(bob)) },
			func() any { return reviewed(rollback(alice, production), approved(bob)) },
			func() any { return reviewed(restore(alice, production), approved(bob)) },
		}},
		"SecretProject": {"secretprojects.secretreview.dev", adam, []func() any{
			func() any {
				p := newProject()
				p.Spec.ProjectName, p.Spec.ConflictPolicy = "name", v1alpha1.ConflictStrict
				return p
			},
		}},
	} {
		It("of "+kind+" takes what fits or refuses it, and never fails", func(ctx context.Context) {
			crd := &apiextensionsv1.CustomResourceDefinition{}
			Expect(admin.Get(ctx, client.ObjectKey{Name: tc.crd}, crd)).To(Succeed())
			fields := stringsOf(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
			Expect(fields).NotTo(BeEmpty())
			tried := 0
			for _, f := range fields {
				limit := int(ptr.Deref(f.schema.MaxLength, unlimited))
				texts := map[string]string{
					"one character too many": strings.Repeat("a", limit+1), "too many characters of four bytes": strings.Repeat("\U0001f511", limit+1),
					"as many characters of four bytes as fit": strings.Repeat("\U0001f511", limit), "a megabyte": strings.Repeat("a", 1<<20),
				}
				maps.Copy(texts, hostile)
				for what, text := range texts {
					for _, base := range tc.bases {
						spec := specOf(base())
						if source := f.path[0]; spec[source] == nil && source != "baseVersionID" {
							continue // a field of another source
						}
						f.with(spec, text)
						accepted, stored := attempt(ctx, tc.user, kind, spec)
						tried++
						if utf8.RuneCountInString(text) > limit {
							Expect(accepted).To(BeFalse(), "%s with %s", f, what)
						}
						if accepted {
							Expect(specOf(stored.Object)).To(HaveKey(f.path[0]), "%s with %s is not lost", f, what)
						}
					}
				}
			}
			fmt.Printf("\nREPORT: %d strings of %d fields of %s were tried\n", tried, len(fields), kind)
		})
	}
})

var _ = Describe("the greatest project and the greatest change of it", func() {
	// As many environments as fit, each with all overrides, and the last one the change's.
	full := func(self bool) *v1alpha1.SecretProject {
		p := newProject()
		p.Name = strings.Repeat("p", 253-len(p.Name)) + p.Name
		p.Spec.ProjectName = strings.Repeat("n", 63)
		p.Spec.Environments = nil
		for i := range 64 {
			p.Spec.Environments = append(p.Spec.Environments, v1alpha1.Environment{
				Name: fmt.Sprintf("%02d", i) + strings.Repeat("e", 61), RequiredApprovals: ptr.To[int32](16), PreventSelfApproval: ptr.To(!self),
			})
		}
		return p
	}
	It("fit into what the rules may cost: it is proposed, reviewed by sixteen, and no approval of the proposer's own is let in", func(ctx context.Context) {
		longest := func(i int) string { return fmt.Sprintf("%03d", i) + strings.Repeat("n", 337) }
		proposer := longest(900)
		p := full(false)
		Expect(as(adam).Create(ctx, p)).To(Succeed())
		for _, role := range []string{"secretreview-proposer", "secretreview-approver"} {
			bind(ctx, team, proposer, "ClusterRole", role)
		}
		for i := range v1alpha1.MaxReviews {
			bind(ctx, team, longest(i), "ClusterRole", "secretreview-approver")
		}
		settle(ctx)
		change := edit(proposer, p.Spec.Environments[63].Name)
		change.Spec.Project, change.Spec.Reason = p.Name, strings.Repeat("r", 2048)
		change.Labels, change.Annotations = marks(most), marks(most)
		change.Annotations["example.com/mark-0"] = strings.Repeat("x", 200_000)
		Expect(as(proposer).Create(ctx, change)).To(Succeed())
		comment := strings.Repeat("c", 2048)
		for i := range v1alpha1.MaxReviews - 1 {
			Expect(review(ctx, longest(i), change, v1alpha1.Review{Reviewer: longest(i), Verdict: v1alpha1.VerdictApproved, Comment: comment})).To(Succeed())
		}
		own := jsonPatch(fmt.Sprintf(`[{"op":"add","path":"/spec/reviews/-","value":{"reviewer":%q,"verdict":"Approved","comment":%q}}]`, proposer, comment))
		// An API server learns of a new project in its time, and until then leaves the decision to the manager.
		Eventually(func() error { return as(proposer).Patch(ctx, change.DeepCopy(), own, client.DryRunAll) }).
			Should(MatchError(ContainSubstring("secretreview-self-approval")), "the policy that prevents it is evaluated, and does not cost too much")
		last := longest(v1alpha1.MaxReviews - 1)
		Expect(review(ctx, last, change, v1alpha1.Review{Reviewer: last, Verdict: v1alpha1.VerdictApproved, Comment: comment})).To(Succeed())
		in(ctx, v1alpha1.PhasePending, change)
	})

	It("larger than people can make it, from a backup, it is an open door to nobody", func(ctx context.Context) {
		change := proposed(ctx, production)
		change.Labels, change.Annotations = marks(3000), marks(3000)
		Expect(as(velero).Update(ctx, change)).To(Succeed())
		forged := review(ctx, star, change.DeepCopy(), approved(somebody))
		Expect(forged).To(HaveOccurred())
		Expect(guard.Refused(forged) || apierrors.IsForbidden(forged) || apierrors.IsInvalid(forged)).To(BeTrue(), "%v", forged)
		more := change.DeepCopy()
		more.Finalizers = append(more.Finalizers, "example.com/keep")
		Expect(as(star).Update(ctx, more)).NotTo(Succeed())
		stored := &v1alpha1.SecretChange{}
		Expect(admin.Get(ctx, keyOf(change), stored)).To(Succeed())
		Expect(stored.Spec.Reviews).To(BeEmpty())
		Expect(stored.Finalizers).To(BeEmpty())
	})
})
