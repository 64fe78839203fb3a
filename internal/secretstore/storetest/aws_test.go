package storetest_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/secretstore/storetest"
)

// awsLag covers ListSecrets, which may be five minutes behind.
const awsLag = 6 * time.Minute

// TestAWSKeepsTheContract runs on the account and region that the SDK's default
// chain finds, where SECRETREVIEW_AWS_CONTRACT=1 says so. It makes, and deletes
// by force, some hundred secrets. SECRETREVIEW_AWS_CONTRACT_KMS_KEY may name the
// ARN of a key that it may encrypt with.
func TestAWSKeepsTheContract(t *testing.T) {
	if os.Getenv("SECRETREVIEW_AWS_CONTRACT") != "1" {
		t.Skip("set SECRETREVIEW_AWS_CONTRACT=1 and give AWS credentials to run on real AWS")
	}
	adapter, err := aws.New(t.Context(), aws.Options{Version: "contract"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("REPORT:", storetest.Run(t, storetest.Harness{
		Store:    adapter,
		Name:     "AWS",
		Prefix:   "secretreview-contract/" + uuid.NewString()[:8] + "/",
		KMSKeyID: os.Getenv("SECRETREVIEW_AWS_CONTRACT_KMS_KEY"),
		Sleep:    time.Sleep, //nolint:forbidigo // real AWS has no clock to move
		Patience: awsLag,
	}))
}
