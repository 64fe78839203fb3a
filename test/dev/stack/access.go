package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/secretreview/secretreview/test/cluster"
)

// secretAccessKey is everybody's: the emulator does not check signatures.
const secretAccessKey = "not-a-secret"

// writeAccess writes what people need to work with the stack: one kubeconfig with a context for each of them, one
// for each alone, their AWS profiles, and a file to be sourced by a shell.
func (s *Stack) writeAccess(context.Context) error {
	var contexts []cluster.Context
	for _, name := range People {
		config := s.cluster.UserConfig(name)
		if name == Admin {
			config = s.cluster.AdminConfig()
		}
		entry := cluster.Context{Name: name, Namespace: Namespace, Config: config}
		if err := s.cluster.WriteKubeconfig(s.KubeconfigOf(name), entry); err != nil {
			return err
		}
		contexts = append(contexts, entry)
	}
	if err := s.cluster.WriteKubeconfig(s.Kubeconfig(), contexts...); err != nil {
		return err
	}
	var profiles, keys strings.Builder
	for _, name := range People {
		fmt.Fprintf(&profiles, "[profile %s]\nregion = %s\n\n", name, Region)
		fmt.Fprintf(&keys, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n\n", name, name, secretAccessKey)
	}
	for path, content := range map[string]string{
		s.file("aws-config"):      profiles.String(),
		s.file("aws-credentials"): keys.String(),
		s.EnvFile():               s.shell(),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return fmt.Errorf("cannot write %s: %w", path, err)
		}
	}
	return nil
}

// EnvFile is the file to be sourced by a shell.
func (s *Stack) EnvFile() string { return s.file("env") }

// Kubeconfig has a context for each of People; the current one is the administrator's.
func (s *Stack) Kubeconfig() string { return s.file("kubeconfig") }

// KubeconfigOf has one person's context alone.
func (s *Stack) KubeconfigOf(name string) string { return s.file("kubeconfig-" + name) }

// Env returns the environment variables, as "NAME=value", of a person who works with the stack. Variables of
// the AWS SDK that would go before them are set empty.
func (s *Stack) Env(name string) []string {
	return []string{
		"KUBECONFIG=" + s.KubeconfigOf(name),
		"AWS_PROFILE=" + name,
		"AWS_ENDPOINT_URL=" + s.endpoint,
		"AWS_CONFIG_FILE=" + s.file("aws-config"),
		"AWS_SHARED_CREDENTIALS_FILE=" + s.file("aws-credentials"),
		"AWS_REGION=" + Region,
		"AWS_DEFAULT_REGION=" + Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=", "AWS_ENDPOINT_URL_STS=",
		"PATH=" + strings.Join([]string{s.bin, filepath.Dir(s.cluster.Binaries().Kubectl), os.Getenv("PATH")}, string(os.PathListSeparator)),
	}
}

// shell is Env for a shell that starts as the administrator, where `as alice COMMAND` runs a command as alice.
func (s *Stack) shell() string {
	var text strings.Builder
	text.WriteString("# To be sourced by a shell: access to the local cluster and its Secrets Manager.\n" +
		"# You are admin in both. `as alice COMMAND …` runs a command as alice, who has rights of her own in both.\n")
	for _, variable := range s.Env(Admin) {
		name, value, _ := strings.Cut(variable, "=")
		switch {
		case value == "":
			fmt.Fprintf(&text, "unset %s\n", name)
		case name == "KUBECONFIG":
			fmt.Fprintf(&text, "export %s=%s\n", name, quote(s.Kubeconfig()))
		case name == "PATH":
			added := strings.TrimSuffix(value, os.Getenv("PATH"))
			fmt.Fprintf(&text, "export PATH=%s\"$PATH\"\n", quote(added))
		default:
			fmt.Fprintf(&text, "export %s=%s\n", name, quote(value))
		}
	}
	fmt.Fprintf(&text, "as() ( export AWS_PROFILE=\"$1\" KUBECONFIG=%s\"$1\"; shift; \"$@\" )\n", quote(s.KubeconfigOf("")))
	return text.String()
}

// quote makes any text one word of a shell command.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
