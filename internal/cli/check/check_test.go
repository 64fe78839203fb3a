package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/secretreview/secretreview/internal/cli/clitest"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/root"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// canary stands in every value. No output may hold it.
const canary = "hunter2"

// checkout is a directory with manifests, and the account that their values are staged in.
type checkout struct {
	t     *testing.T
	dir   string
	aws   *emulator.Emulator
	url   string
	store secretstore.Store
	// live is the live version.
	live string
}

func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{t: t, dir: t.TempDir(), aws: emulator.New(emulator.Options{})}
	server := httptest.NewServer(c.aws)
	t.Cleanup(server.Close)
	c.url = server.URL
	c.store = c.connect(t.Context(), "administrator")
	return c
}

func (c *checkout) connect(ctx context.Context, user string) secretstore.Store {
	c.t.Helper()
	options := aws.Options{Region: c.aws.Region(), EndpointURL: c.url, MaxBackoff: time.Millisecond}
	if user != "" {
		options.Credentials = &aws.StaticCredentials{AccessKeyID: user, SecretAccessKey: canary}
	}
	store, err := aws.New(ctx, options)
	if err != nil {
		c.t.Fatal(err)
	}
	return store
}

func (c *checkout) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// setLive makes values live.
func (c *checkout) setLive(values map[string]string) {
	c.t.Helper()
	name := naming.LiveSecret(naming.DefaultPrefix, "api", "production")
	id := uuid.NewString()
	var err error
	if c.live == "" {
		_, err = c.store.Create(c.t.Context(), secretstore.CreateInput{Name: name, VersionID: id, Value: clitest.Encode(c.t, values)})
	} else {
		err = c.store.Put(c.t.Context(), secretstore.PutInput{ID: name, VersionID: id, Value: clitest.Encode(c.t, values), Labels: []string{secretstore.LabelCurrent}})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.live = id
}

func secret(values map[string]string) document.Document {
	d := document.Document{}
	for key, value := range values {
		d[key] = sensitive.New(value)
	}
	return d
}

// stage stages an edit as "propose -o yaml" does, and returns the manifest.
func (c *checkout) stage(name string, base, wanted map[string]string) string {
	c.t.Helper()
	nonce, err := document.NewNonce(bytes.NewReader(make([]byte, document.NonceBytes)))
	if err != nil {
		c.t.Fatal(err)
	}
	value, err := document.Staged{
		Version: document.StagedVersion, Nonce: nonce, Patch: document.NewPatch(secret(base), secret(wanted)),
		Identity: document.Identity{Cluster: "prod", Namespace: "demo", Project: "api", Environment: "production", Change: name},
	}.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	id := uuid.NewString()
	created, err := c.store.Create(c.t.Context(), secretstore.CreateInput{
		Name: naming.StagedSecret(naming.DefaultPrefix, "api", name), VersionID: id, Value: value,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprintf(`apiVersion: secretreview.dev/v1alpha1
kind: SecretChange
metadata:
  name: %s
  namespace: demo
spec:
  project: api
  environment: production
  reason: because
  proposedBy: alice
  baseVersionID: %s
  staged:
    secretARN: %s
    versionID: %s
    digest: %s
`, name, c.live, created.ARN, id, document.Digest(value))
}

type result struct {
	out, err string
	code     exit.Code
}

// run runs "sr check" as a user of AWS, "" without credentials.
func (c *checkout) run(user string, args ...string) result {
	c.t.Helper()
	return c.runWith("", user, args...)
}

func (c *checkout) runWith(stdin, user string, args ...string) result {
	c.t.Helper()
	var out, errOut strings.Builder
	f := &factory.Factory{
		IOStreams: genericiooptions.IOStreams{In: strings.NewReader(stdin), Out: &out, ErrOut: &errOut},
		Program:   "sr", Version: "test", Directory: c.dir, KubeFlags: factory.NewKubeFlags(), Getenv: func(string) string { return "" },
		NewStore: func(ctx context.Context, region string) (secretstore.Store, error) {
			if region != c.aws.Region() {
				c.t.Errorf("region %q was asked", region)
			}
			return c.connect(ctx, user), nil
		},
	}
	code := root.Run(c.t.Context(), f, append([]string{"check"}, args...))
	got := result{out.String(), errOut.String(), code}
	if strings.Contains(got.out+got.err, canary) {
		c.t.Errorf("it tells a value:\n%s%s", got.out, got.err)
	}
	return got
}

func (c *checkout) want(got result, code exit.Code, parts ...string) {
	c.t.Helper()
	if got.code != code {
		c.t.Errorf("code %d instead of %d:\n%s%s", got.code, code, got.out, got.err)
	}
	for _, part := range parts {
		if !strings.Contains(got.out+got.err, part) {
			c.t.Errorf("no %q in:\n%s%s", part, got.out, got.err)
		}
	}
}

var (
	base   = map[string]string{"KEPT": canary + "0", "OLD": canary + "1", "URL": canary + "2"}
	wanted = map[string]string{"KEPT": canary + "0", "NEW": canary + "3", "URL": canary + "4"}
)

// proposed is a checkout with a change that adds, modifies and removes a key.
func proposed(t *testing.T) *checkout {
	t.Helper()
	c := newCheckout(t)
	c.setLive(base)
	c.write("changes/a.yaml", c.stage("api-x7k2p", base, wanted))
	return c
}

func TestTheKeysOfAChangeAreShown(t *testing.T) {
	c := proposed(t)
	c.want(c.run("ci", "changes"), exit.OK, `demo/api-x7k2p in changes/a.yaml:1
  for api/production, proposed by alice
  + NEW
  - OLD
  ~ URL
Checked 1 change and 0 projects: 0 errors, 0 warnings
`)
	c.want(c.run("ci", "changes", "-o", "github"), exit.OK, "Checked 1 change and 0 projects: 0 errors, 0 warnings\n")
	c.want(c.run("ci", "changes", "-o", "markdown"), exit.OK, `### sr check

Checked 1 change and 0 projects: 0 errors, 0 warnings.

#### <code>api&#45;x7k2p</code>

For <code>api&#47;production</code> in namespace <code>demo</code>, proposed by <code>alice</code>, in <code>changes&#47;a&#46;yaml</code>.

| | Key |
| --- | --- |
| Added | <code>NEW</code> |
| Removed | <code>OLD</code> |
| Modified | <code>URL</code> |

3 keys: 1 added, 1 modified, 1 removed.`)
	var report struct {
		Errors  int
		Changes []struct {
			File, Name, LiveVersionID string
			Line                      int
			Diff                      []struct{ Key, Type string }
		}
	}
	got := c.run("ci", "changes", "-o", "json")
	if err := json.Unmarshal([]byte(got.out), &report); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(report); text != fmt.Sprintf("{0 [{changes/a.yaml api-x7k2p %s 1 [{NEW Added} {OLD Removed} {URL Modified}]}]}", c.live) {
		t.Error(text)
	}
	if calls := c.aws.Calls(); len(calls) == 0 {
		t.Error("AWS was not asked")
	}
}

func TestWithoutAWSItSaysThatThereAreNoKeys(t *testing.T) {
	c := proposed(t)
	c.aws.ResetCalls()
	c.want(c.run("ci", "changes", "--offline"), exit.OK, "Its keys are not shown: --offline was given")
	if calls := c.aws.Calls(); len(calls) > 0 {
		t.Errorf("AWS was asked: %v", calls)
	}
	c.aws.SetPrincipals([]emulator.Principal{{AccessKeyID: "administrator"}})
	c.want(c.run("ci", "changes", "-o", "markdown"), exit.OK, "Its keys are not shown: <code>there are no credentials for AWS")
	c.aws.SetPrincipals([]emulator.Principal{{AccessKeyID: "ci"}})
	c.want(c.run("ci", "changes"), exit.OK, "Its keys are not shown: read the staged values: GetSecretValue", "AccessDenied")
}

func TestCredentialsThatFailAreTriedOnceForARegion(t *testing.T) {
	c := proposed(t)
	for i := range 3 {
		c.write(fmt.Sprintf("changes/%d.yaml", i), c.stage(fmt.Sprintf("api-%d", i), base, wanted))
	}
	c.aws.SetPrincipals([]emulator.Principal{{AccessKeyID: "ci", Expired: true}})
	c.aws.ResetCalls()
	c.want(c.run("ci", "changes"), exit.OK, "Its keys are not shown: there are no credentials for AWS, or they have expired", "4 changes", "Note: read the staged values")
	if calls := emulator.Invocations(c.aws.Calls()); len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestWhatIsStagedMustBeWhatIsPinned(t *testing.T) {
	for name, tc := range map[string]struct {
		old, new string
		args     []string
		code     exit.Code
		want     string
	}{
		"another digest":          {"digest: sha256:", "digest: sha256:0", nil, exit.Refused, "changes/a.yaml:15: error: spec.staged.digest: may not be more than 71 bytes"},
		"another version":         {"versionID: ", "versionID: 00000000-", nil, exit.Refused, "error: spec.staged.versionID: what is staged has another version"},
		"another environment":     {"environment: production", "environment: staging", nil, exit.Refused, "changes/a.yaml:12: error: spec.staged: the staged secret belongs to another environment"},
		"another namespace":       {"namespace: demo", "namespace: other", nil, exit.Refused, "belongs to another namespace"},
		"the cluster that it is":  {"", "", []string{"--cluster-name=prod"}, exit.OK, "+ NEW"},
		"another cluster":         {"", "", []string{"--cluster-name=test"}, exit.Refused, "belongs to another cluster"},
		"another account":         {"", "", []string{"--account=999999999999"}, exit.Refused, "it is in account"},
		"a prefix that it has":    {"", "", []string{"--prefix=secret-review/"}, exit.OK, "+ NEW"},
		"another prefix":          {"", "", []string{"--prefix=acme/"}, exit.Refused, "Its keys are not shown: what it pins is not its own"},
		"another region":          {"", "", []string{"--region=eu-west-1"}, exit.Refused, "it is in region"},
		"another namespace by -n": {"", "", []string{"-n", "other"}, exit.Refused, "spec"},
	} {
		t.Run(name, func(t *testing.T) {
			c := proposed(t)
			content, err := os.ReadFile(filepath.Join(c.dir, "changes", "a.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			c.write("changes/a.yaml", strings.Replace(string(content), tc.old, tc.new, 1))
			if name == "another namespace by -n" {
				tc.want = "metadata.namespace: it is not the namespace"
			}
			c.want(c.run("ci", append([]string{"changes"}, tc.args...)...), tc.code, tc.want)
		})
	}
	t.Run("nothing any more", func(t *testing.T) {
		c := proposed(t)
		name := naming.StagedSecret(naming.DefaultPrefix, "api", "api-x7k2p")
		if err := c.store.Delete(t.Context(), secretstore.DeleteInput{ID: name}); err != nil {
			t.Fatal(err)
		}
		c.want(c.run("ci", "changes"), exit.OK, "Its keys are not shown: nothing is staged as it pins it", "0 warnings")
	})
	t.Run("other bytes", func(t *testing.T) {
		c := proposed(t)
		other := c.stage("api-other", base, map[string]string{"A": canary})
		_, digest, _ := strings.Cut(other, "digest: ")
		content, err := os.ReadFile(filepath.Join(c.dir, "changes", "a.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(string(content), "digest: ")
		c.write("changes/a.yaml", before+"digest: "+digest)
		c.want(c.run("ci", "changes"), exit.Refused, "they were swapped", "Its keys are not shown: what is staged is not what it pins")
	})
}

func TestWhatOthersHaveChangedIsWarnedOf(t *testing.T) {
	t.Run("another key", func(t *testing.T) {
		c := proposed(t)
		c.setLive(map[string]string{"KEPT": canary + "9", "OLD": base["OLD"], "URL": base["URL"]})
		c.want(c.run("ci", "changes"), exit.OK, "changes/a.yaml:11: warning: spec.baseVersionID: it is no longer live", "1 warning", "  ~ URL\n")
		c.want(c.run("ci", "changes", "--strict"), exit.Refused, "1 warning")
	})
	t.Run("the same key", func(t *testing.T) {
		c := proposed(t)
		c.setLive(map[string]string{"KEPT": base["KEPT"], "OLD": base["OLD"], "URL": canary + "9"})
		c.want(c.run("ci", "changes"), exit.OK, "warning: spec.staged: others have changed the same keys", "Conflicted: URL;")
	})
	t.Run("nothing was live yet", func(t *testing.T) {
		c := newCheckout(t)
		c.write("a.yaml", strings.Replace(c.stage("api-x7k2p", nil, wanted), "  baseVersionID: \n", "", 1))
		c.want(c.run("ci", "a.yaml"), exit.OK, "  + KEPT\n  + NEW\n  + URL\n", "0 warnings")
	})
}

// hostile names act on terminals, in Markdown and in workflow commands.
const hostile = "x\x1b[2J\u202e|`<img>@everyone,%0A::error::.yaml"

func TestHostileNamesDoNothing(t *testing.T) {
	c := newCheckout(t)
	c.setLive(base)
	manifest := strings.Replace(c.stage("api-x7k2p", map[string]string{}, map[string]string{"A": canary}), "alice", `"eve\n::error::<b>@all|\e[2J"`, 1)
	c.write("m/"+hostile, manifest+"status: {}\n")
	for _, output := range []string{"text", "markdown", "github", "json"} {
		got := c.run("ci", "m", "-o", output)
		c.want(got, exit.OK)
		for _, bad := range []string{"\x1b", "\u202e", "\n::error::<"} {
			if strings.Contains(got.out, bad) {
				t.Errorf("%s has %q:\n%s", output, bad, got.out)
			}
		}
		if output == "markdown" && strings.ContainsAny(strings.NewReplacer("<code>", "", "</code>", "", "| Warning |", "", "| --- |", "", "| | ", "").Replace(got.out), "<>@`") {
			t.Errorf("Markdown:\n%s", got.out)
		}
		if output == "github" && !strings.Contains(got.out, "::warning title=sr check,file=") {
			t.Errorf("%s", got.out)
		}
	}
}

func TestFindingsAreAnnotations(t *testing.T) {
	c := proposed(t)
	c.write("changes/b.yaml", "apiVersion: v1\nkind: Secret\nstringData:\n  A: "+canary+"\n")
	c.write("changes/.env", "# secretreview: project=api environment=production version=7f07b8e6-b368-4559-8d5a-3bf3bf625b46\nA="+canary+"\n")
	c.write("changes/c.yaml", "# secretreview.dev\na: ["+canary+"\n")
	c.write("changes/chart.yaml", "a: {{ .Values."+canary+" }}\n---\n{\n")
	c.write("changes/huge.json", strings.Repeat(" ", 5<<20))
	c.want(c.run("ci", "--offline", "-o", "github", "changes"), exit.Refused,
		"::error title=sr check,file=changes/.env,line=1::it holds values that \"pull\" has written",
		"::error title=sr check,file=changes/b.yaml,line=3::stringData: a Secret with values",
		"::error title=sr check,file=changes/c.yaml,line=1::it is not YAML from about here on",
		"::error title=sr check,file=changes/huge.json::it is larger than 4 MiB",
		"Checked 1 change and 0 projects: 4 errors, 0 warnings\n")
}

func TestAValueIsNotShownAsAnythingElse(t *testing.T) {
	key := "AKIA" + "IOSFODNN7EXAMPLE"
	c := newCheckout(t)
	c.setLive(base)
	c.write("a.yaml", strings.Replace(c.stage("api-x7k2p", base, wanted), "alice", key, 1))
	for _, output := range []string{"text", "markdown", "github", "json"} {
		got := c.run("ci", "a.yaml", "-o", output)
		c.want(got, exit.Refused)
		if strings.Contains(got.out, key) {
			t.Errorf("%s:\n%s", output, got.out)
		}
	}
}

func TestStandardInputIsRead(t *testing.T) {
	c := newCheckout(t)
	c.setLive(base)
	manifest := c.stage("api-x7k2p", base, wanted)
	c.want(c.runWith(manifest, "ci", "-"), exit.OK, "demo/api-x7k2p in -:1", "+ NEW")
	c.want(c.runWith(strings.Replace(manifest, "  reason: because\n", "", 1), "ci", "-", "-o", "github"), exit.Refused, "::error title=sr check::spec.reason: is required")
}

func TestAPullRequestsConfigurationIsNotRead(t *testing.T) {
	c := proposed(t)
	c.write(".sr.json", `{"project": 5, "`+canary)
	c.want(c.run("ci", "changes"), exit.OK, "+ NEW")
}

func TestMistakesInTheCommandLine(t *testing.T) {
	c := proposed(t)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"nothing to look at":        {nil, "name a directory or file"},
		"an unknown output":         {[]string{"changes", "-o", "xml"}, "choose text, markdown, json or github"},
		"a project":                 {[]string{"changes", "-p", "api"}, "leave -p and -e out"},
		"standard input twice":      {[]string{"-", "-"}, "once"},
		"an account of letters":     {[]string{"changes", "--account", "prod"}, "12 digits"},
		"a prefix without a slash":  {[]string{"changes", "--prefix", "acme"}, "--prefix"},
		"a cluster without a name":  {[]string{"changes", "--cluster-name", "a b"}, "--cluster-name"},
		"a path that is not there":  {[]string{"none"}, "there is no file or directory none"},
		"one of several is missing": {[]string{"changes", "none"}, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.run("ci", tc.args...)
			c.want(got, exit.Usage, tc.want)
			if got.out != "" {
				t.Error(got.out)
			}
		})
	}
}
