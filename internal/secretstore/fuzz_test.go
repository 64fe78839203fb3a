package secretstore_test

import (
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore"
)

func FuzzAnARNIsReadWholeOrNotAtAll(f *testing.F) {
	f.Add("arn:aws:secretsmanager:eu-west-1:111122223333:secret:secret-review/api/production-AbCdEf")
	f.Add("arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:a-b-AbCdEf")
	f.Add("arn:aws:secretsmanager:eu-west-1:111122223333:secret:secret-review/api/production")
	f.Add("arn:aws:secretsmanager:eu-west-1::secret:a-AbCdEf")
	f.Add("arn:aws:kms:eu-west-1:111122223333:secret:a-AbCdEf")
	f.Add("arn:aws:secretsmanager:eu-west-1:111122223333:secret:a:b-AbCdEf")
	f.Fuzz(func(t *testing.T, arn string) {
		parts, ok := secretstore.ParseARN(arn)
		if !ok {
			if parts != (secretstore.ARNParts{}) {
				t.Fatalf("%q is no ARN and has %+v", arn, parts)
			}
			return
		}
		whole := "arn:" + parts.Partition + ":secretsmanager:" + parts.Region + ":" + parts.Account + ":secret:" + parts.Name + "-"
		if suffix, found := strings.CutPrefix(arn, whole); !found || len(suffix) != 6 {
			t.Fatalf("%q is read as %+v", arn, parts)
		}
		if parts.Name == "" || parts.Region == "" || parts.Account == "" || strings.Contains(parts.Partition+parts.Region+parts.Account, ":") {
			t.Fatalf("%q is read as %+v", arn, parts)
		}
	})
}
