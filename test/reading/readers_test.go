package reading

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/jmespath/go-jmespath"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/test/dev/stack"
	"github.com/secretreview/secretreview/test/python"
)

// how something reads, and which of the values that are live it is to see.
type how struct {
	read func() map[string]string
	sees func(live map[string]string) map[string]string
}

// readers are all that there are, by what docs/reading.md calls them.
func readers() map[string]how {
	all := map[string]how{
		"External Secrets Operator, all keys":  {kubernetesSecret("backend-api"), everything},
		"External Secrets Operator, some keys": {kubernetesSecret("backend-api-payment"), renamed},
		"an init container":                    {pull, everything},
		"sr run":                               {startedByRun, everything},
		"the Secrets Store CSI driver":         {mounted, everythingAndFiles},
		"ECS":                                  {injected, payment},
	}
	if python.Installed() {
		all["Lambda, by the SDK"] = how{lambda("sdk"), everything}
		all["Lambda, by the extension"] = how{lambda("extension"), everything}
	}
	return all
}

func everything(live map[string]string) map[string]string { return live }

func payment(live map[string]string) map[string]string {
	return map[string]string{"PAYMENT_TOKEN": live["PAYMENT_TOKEN"], "DATABASE_URL": live["DATABASE_URL"]}
}

func renamed(live map[string]string) map[string]string {
	return map[string]string{"token": live["PAYMENT_TOKEN"], "database-url": live["DATABASE_URL"]}
}

// getValue reads as the role does that ECS and the CSI driver take.
func getValue(id string) secretstore.Version {
	GinkgoHelper()
	store, err := s.Store(GinkgoT().Context(), reader)
	Expect(err).NotTo(HaveOccurred())
	version, err := store.Get(GinkgoT().Context(), secretstore.GetInput{ID: id})
	Expect(err).NotTo(HaveOccurred())
	return version
}

func object(text string) (values map[string]string) {
	GinkgoHelper()
	Expect(json.Unmarshal([]byte(text), &values)).To(Succeed())
	return values
}

// injected does what ECS documents of valueFrom: the secret's ARN, then a key, a label and a version id, of which the
// latter two are empty here, so that AWSCURRENT is meant.
func injected() map[string]string {
	GinkgoHelper()
	var task struct {
		Family, NetworkMode, CPU, Memory, ExecutionRoleArn string
		RequiresCompatibilities                            []string
		ContainerDefinitions                               []struct {
			Name, Image string
			Essential   bool
			Secrets     []struct{ Name, ValueFrom string }
		}
	}
	decode("ecs/task-definition.json", &task)
	arn := kubectl("get", "secretproject", stack.Project, "-o", `jsonpath={.status.environments[?(@.name=="`+environment+`")].secretARN}`)
	values := map[string]string{}
	for _, secret := range task.ContainerDefinitions[0].Secrets {
		parts := strings.Split(secret.ValueFrom, ":")
		Expect(parts).To(HaveLen(10))
		Expect(parts[8:]).To(HaveEach(BeEmpty()))
		named := strings.Join(parts[:7], ":")
		Expect(strings.TrimSuffix(named, "AbCdEf")).To(Equal(arn[:len(arn)-6]), "the example differs from the secret in its ending alone")
		values[secret.Name] = object(getValue(arn).Value.Reveal())[parts[7]]
	}
	return values
}

// mounted does what the AWS provider of the CSI driver documents of a SecretProviderClass.
func mounted() map[string]string {
	GinkgoHelper()
	var class struct {
		APIVersion, Kind string
		Metadata         struct{ Namespace, Name string }
		Spec             struct {
			Provider   string
			Parameters struct{ Region, Objects string }
		}
	}
	decode("secrets-store-csi/secretproviderclass.yaml", &class)
	kubectl("apply", "--validate=strict", "--dry-run=server", "-f", example("secrets-store-csi", "deployment.yaml"))
	type path struct{ Path, ObjectAlias string }
	var objects []struct {
		ObjectName, ObjectType, ObjectAlias string
		JmesPath                            []path
	}
	Expect(yaml.UnmarshalStrict([]byte(class.Spec.Parameters.Objects), &objects)).To(Succeed())
	files := map[string]string{}
	for _, one := range objects {
		text := getValue(one.ObjectName).Value.Reveal()
		files[one.ObjectAlias] = text
		var document any
		Expect(json.Unmarshal([]byte(text), &document)).To(Succeed())
		for _, key := range one.JmesPath {
			found, err := jmespath.Search(key.Path, document)
			Expect(err).NotTo(HaveOccurred())
			Expect(found).To(BeAssignableToTypeOf(""), key.Path)
			files[key.ObjectAlias], _ = found.(string)
		}
	}
	return files
}

// everythingAndFiles is the document as it is stored, and the keys that the example names.
func everythingAndFiles(live map[string]string) map[string]string {
	text, err := json.Marshal(live)
	Expect(err).NotTo(HaveOccurred())
	files := payment(live)
	files["production.json"] = string(text)
	return files
}

// lambda runs an example as Lambda starts it anew.
func lambda(name string) func() map[string]string {
	return func() map[string]string {
		GinkgoHelper()
		requirements, err := os.ReadFile(filepath.Join(root, "internal", "secretstore", "storetest", "testdata", "moto-requirements.txt"))
		Expect(err).NotTo(HaveOccurred())
		const session = "the session's token"
		extension := httptest.NewServer(extensionInPlace(session))
		defer extension.Close()
		program := "import json, " + name + " as f; assert f.handler({}, None)['statusCode'] == 200; print(json.dumps(f.values()))"
		return object(output("", []string{
			"PYTHONPATH=" + example("lambda"), "PYTHONDONTWRITEBYTECODE=1", "SECRET_ID=" + live,
			"AWS_REGION=" + stack.Region, "AWS_DEFAULT_REGION=" + stack.Region, "AWS_ENDPOINT_URL=" + s.Endpoint(),
			"AWS_ACCESS_KEY_ID=" + reader, "AWS_SECRET_ACCESS_KEY=not-a-secret", "AWS_SESSION_TOKEN=" + session,
			"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=" + extension.URL[strings.LastIndex(extension.URL, ":")+1:],
		}, python.Environment(GinkgoTB(), "moto", requirements), "-c", program)) // moto needs boto3, which Lambda's runtime has
	}
}

// extensionInPlace answers as AWS documents of its Parameters and Secrets Lambda Extension, which cannot be run here.
func extensionInPlace(session string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer GinkgoRecover()
		if r.URL.Path != "/secretsmanager/get" || r.Header.Get("X-Aws-Parameters-Secrets-Token") != session {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		version := getValue(r.URL.Query().Get("secretId"))
		Expect(json.NewEncoder(w).Encode(map[string]any{
			"ARN": version.ARN, "Name": version.Name, "VersionId": version.VersionID, "SecretString": version.Value.Reveal(),
			"VersionStages": version.Labels,
		})).To(Succeed())
	}
}
