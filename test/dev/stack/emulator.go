package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/sensitive"
	"github.com/secretreview/secretreview/test/cluster/process"
)

const (
	emulatorName = "emulator"
	pollInterval = 50 * time.Millisecond
)

// startEmulator returns when the emulator serves. It picks its own free port, and writes down which.
func (s *Stack) startEmulator(ctx context.Context) error {
	principals, err := json.MarshalIndent(append(principals(), s.principals...), "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode the emulator's principals: %w", err)
	}
	if err := os.WriteFile(s.file("principals.json"), principals, 0o600); err != nil {
		return fmt.Errorf("cannot write the emulator's principals: %w", err)
	}
	address := s.file("emulator.address")
	s.emulator, err = process.Start(process.Command{
		Name:    emulatorName,
		Path:    filepath.Join(s.bin, emulatorName),
		Args:    []string{"-region", Region, "-address-file", address, "-principals", s.file("principals.json")},
		LogFile: s.logFile(emulatorName),
	})
	if err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, pollInterval, true, func(context.Context) (bool, error) {
		if !s.emulator.Running() {
			return false, s.emulator.Exited()
		}
		content, err := os.ReadFile(address) // not there until the emulator serves
		s.endpoint = strings.TrimSpace(string(content))
		return err == nil, nil
	})
}

// live is what the two environments hold in the beginning.
var live = map[string]map[string]string{
	"dev": {
		"DATABASE_URL":  "postgres://backend:dev-password@db.dev.internal:5432/backend",
		"LOG_LEVEL":     "debug",
		"PAYMENT_TOKEN": "dev-payment-token",
	},
	"production": {
		"DATABASE_URL":  "postgres://backend:first-password@db.production.internal:5432/backend",
		"LOG_LEVEL":     "info",
		"PAYMENT_TOKEN": "first-payment-token",
	},
}

// seed creates the live secrets as a platform team would: with a KMS key of their own each, and the tag that says
// whom they belong to.
func (s *Stack) seed(ctx context.Context) error {
	store, err := s.Store(ctx, Admin)
	if err != nil {
		return err
	}
	for environment, values := range live {
		value, err := json.Marshal(values)
		if err != nil {
			return fmt.Errorf("cannot encode the secret of %s: %w", environment, err)
		}
		_, err = store.Create(ctx, secretstore.CreateInput{
			Name:      naming.LiveSecret(naming.DefaultPrefix, Project, environment),
			VersionID: uuid.NewString(),
			Value:     sensitive.New(string(value)),
			KMSKeyID:  keys[environment],
			Tags:      map[string]string{naming.TagOwner: naming.Owner(ClusterName, Namespace)},
		})
		if err != nil {
			return fmt.Errorf("cannot create the live secret of %s: %w", environment, err)
		}
	}
	return nil
}

// Store returns a client of the emulator with the rights that one of People, or "manager", has in AWS.
func (s *Stack) Store(ctx context.Context, name string) (secretstore.Store, error) {
	return aws.New(ctx, aws.Options{
		Region:      Region,
		EndpointURL: s.endpoint,
		Credentials: &aws.StaticCredentials{AccessKeyID: name, SecretAccessKey: secretAccessKey},
	})
}
